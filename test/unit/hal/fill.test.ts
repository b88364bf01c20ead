import { describe, expect, test } from 'vitest';
import { PlaybackFill, stretch } from '../../../hal/audio/fill.ts';

const RATE = 16000;
const FRAME = 160;

/** A fill that has learned that `delay` is what it is to keep. */
function learned(delay: number) {
  const fill = new PlaybackFill(RATE);
  for (let frames = 0; frames < 100; frames++) fill.frameLength(delay, FRAME);
  return fill;
}

const lengths = (fill: PlaybackFill, delay: number, frames: number) =>
  Array.from({ length: frames }, () => fill.frameLength(delay, FRAME));

describe('the fill of the loudspeaker', () => {
  test('is left alone while it is what it was', () => {
    for (const delay of [0, 160, 4000]) expect(new Set(lengths(learned(delay), delay, 1000))).toEqual(new Set([FRAME]));
  });

  test('is left alone within 2 ms', () => {
    expect(new Set(lengths(learned(160), 190, 1000))).toEqual(new Set([FRAME]));
    expect(new Set(lengths(learned(160), 130, 1000))).toEqual(new Set([FRAME]));
  });

  test.each([
    ['shortened', 240, FRAME - 1],
    ['lengthened', 80, FRAME + 1],
  ])('is brought back by frames %s by one sample, at most one in eight', (_, delay, length) => {
    const said = lengths(learned(160), delay, 1000);
    expect(new Set(said)).toEqual(new Set([FRAME, length]));
    const corrected = said.flatMap((other, i) => (other === length ? [i] : []));
    expect(corrected.length).toBeGreaterThan(100);
    for (const [i, at] of corrected.entries()) if (i > 0) expect(at - corrected[i - 1]!).toBeGreaterThanOrEqual(8);
  });

  test('loses whole frames when a stall has left 20 ms too much', () => {
    const fill = learned(160);
    expect(fill.frameLength(160 + 321, FRAME)).toBe(0);
    expect(fill.frameLength(160 + 319, FRAME)).toBe(FRAME);
  });

  test('is learned anew after a restart, and not from its rough first delays', () => {
    const fill = learned(160);
    fill.reset();
    expect(new Set(lengths(fill, 3000, 20))).toEqual(new Set([FRAME]));
    expect(new Set(lengths(fill, 400, 1000))).toEqual(new Set([FRAME]));
  });
});

describe('a stretched frame', () => {
  const ramp = Int16Array.from({ length: 160 }, (_, i) => i * 100 - 8000);

  test.each([159, 160, 161])('of %s samples begins and ends as it did, without a step', length => {
    const into = new Int16Array(161);
    stretch(ramp, into, length);
    expect([into[0], into[length - 1]]).toEqual([ramp[0], ramp[159]]);
    for (let i = 1; i < length; i++) expect(Math.abs(into[i]! - into[i - 1]! - 100)).toBeLessThanOrEqual(2);
  });

  test('keeps the loudest samples within their range', () => {
    const into = new Int16Array(161);
    stretch(new Int16Array(160).fill(-32768), into, 161);
    expect(new Set(into)).toEqual(new Set([-32768]));
  });
});
