import { describe, expect, test } from 'vitest';
import { LEAVE_OUT, PlaybackFill } from '../../../hal/audio/fill.ts';
import { seeded } from '../../sim/seeded.ts';

/** A fill that has learned that `waitingMs` is what it is to keep. */
function learned(waitingMs: number) {
  const fill = new PlaybackFill();
  for (let frames = 0; frames < 100; frames++) fill.squeeze(waitingMs);
  return fill;
}

/** Two clocks `ppm` apart for so long: what waits at the end, and the most and least of the second half. */
function drifting(ppm: number, seconds: number, noiseMs = 0) {
  const fill = new PlaybackFill();
  const random = seeded(7);
  let waitingMs = 20;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const said: number[] = [];
  for (let frame = 0; frame < seconds * 100; frame++) {
    const squeeze = fill.squeeze(waitingMs + (random.next() - 0.5) * 2 * noiseMs);
    waitingMs += 10 * (ppm / 1e6 - squeeze);
    if (frame < seconds * 50) continue;
    said.push(squeeze);
    [least, most] = [Math.min(least, waitingMs), Math.max(most, waitingMs)];
  }
  const mean = said.reduce((sum, squeeze) => sum + squeeze, 0) / said.length;
  const flutter = Math.sqrt(said.reduce((sum, squeeze) => sum + (squeeze - mean) ** 2, 0) / said.length) * 1e6;
  return { fill, least, most, flutter };
}

describe('the fill of the loudspeaker', () => {
  test('is left alone while it is what it was, and within 1 ms', () => {
    for (const waitingMs of [0, 10, 250]) {
      const fill = learned(waitingMs);
      for (let frame = 0; frame < 1000; frame++) expect(fill.squeeze(waitingMs + (frame % 2 ? 0.9 : -0.9))).toBe(0);
    }
  });

  test.each([20, 200, -200, 900])(
    'stays within 3 ms for an hour of clocks %s ppm apart, and the drift is known',
    ppm => {
      const { fill, least, most } = drifting(ppm, 3600);
      expect(least).toBeGreaterThan(17);
      expect(most).toBeLessThan(23);
      expect(Math.abs(fill.driftPpm - ppm)).toBeLessThan(1);
    },
  );

  test.each([0, 100])('is kept as steadily where delays are told 2 ms wrong either way, %s ppm apart', ppm => {
    const { fill, least, most, flutter } = drifting(ppm, 1200, 2);
    expect(most - least).toBeLessThan(1);
    expect(Math.abs(fill.driftPpm - ppm)).toBeLessThan(5);
    expect(flutter).toBeLessThan(10);
  });

  test('loses whole frames when a stall has left 20 ms too much', () => {
    const fill = learned(10);
    expect(fill.squeeze(30.1)).toBe(LEAVE_OUT);
    expect(fill.squeeze(29.9)).not.toBe(LEAVE_OUT);
  });

  test('is learned anew after a restart, not from its rough first delays, and the drift stays known', () => {
    const fill = learned(10);
    fill.reset();
    for (let frame = 0; frame < 20; frame++) expect(fill.squeeze(190)).toBe(0);
    for (let frame = 0; frame < 1000; frame++) expect(fill.squeeze(25)).toBe(0);
    const known = drifting(150, 600).fill;
    known.reset();
    for (let frame = 0; frame < 84; frame++) expect(Math.round(known.squeeze(60) * 1e6)).toBe(150);
  });

  test('is never squeezed by more than 3 in a thousand, whatever it is told', () => {
    const fill = learned(10);
    for (let frame = 0; frame < 10_000; frame++) {
      const squeeze = fill.squeeze(-1e6);
      expect(Math.abs(squeeze)).toBeLessThanOrEqual(3e-3);
    }
  });
});
