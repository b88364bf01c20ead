import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Concealer, MAX_CONCEALED_MS } from '../../../firmware/audio/concealment.ts';
import { rms } from '../../../firmware/audio/frame.ts';
import { readWav } from '../../../hal/audio/wav.ts';
import { plainRepeat } from '../../bench/concealments.ts';
import { distance } from '../../bench/distances.ts';
import { seeded } from '../../sim/seeded.ts';
import { blockSnr, largestStep, sine } from '../../sim/tone.ts';

const RATE = 8000;
const FRAME = 80;

/** Plays `sound` frame by frame with some of its frames lost, and returns what is heard. */
function heardWithout(sound: Int16Array, isLost: (frame: number) => boolean): Int16Array {
  const concealer = new Concealer(RATE);
  const heard = new Int16Array(sound.length);
  for (let frame = 0; frame * FRAME < sound.length; frame++) {
    const part = sound.slice(frame * FRAME, (frame + 1) * FRAME);
    if (isLost(frame)) concealer.conceal(part, FRAME);
    else concealer.good(part, FRAME);
    heard.set(part, frame * FRAME);
  }
  return heard;
}

describe('a lost frame', () => {
  test.each([200, 440, 1000, 3000])('of a tone of %i Hz goes on as the tone', hz => {
    const tone = sine(hz, 10_000, RATE, 1);
    const heard = heardWithout(tone, frame => frame > 8 && frame % 10 === 0);
    expect(blockSnr(heard.subarray(800), hz, RATE, 10)).toBeGreaterThan(30);
  });

  test('leaves no click: no step much larger than the tone itself makes', () => {
    for (const hz of [110, 215, 440, 700]) {
      const tone = sine(hz, 10_000, RATE, 1);
      const heard = heardWithout(tone, frame => frame > 8 && (frame % 10 < 2 || frame % 23 === 0));
      expect(largestStep(heard)).toBeLessThan(largestStep(tone) * 1.6 + 200);
    }
  });

  test('of silence is silence', () => {
    expect(heardWithout(new Int16Array(RATE), frame => frame % 3 === 1).every(sample => sample === 0)).toBe(true);
  });

  test('before any sound is silence', () => {
    const concealer = new Concealer(RATE);
    const into = new Int16Array(FRAME).fill(77);
    concealer.conceal(into, FRAME);
    expect(into.every(sample => sample === 0)).toBe(true);
  });
});

describe('a long gap', () => {
  const tone = sine(440, 10_000, RATE, 1);
  const heard = heardWithout(tone, frame => frame >= 50 && frame < 70);
  const level = (fromMs: number) => rms(heard, (500 + fromMs) * 8, 80) / rms(tone);

  test('fades by a sixth each 10 ms and is silent from 60 ms on', () => {
    expect(level(0)).toBeCloseTo(0.92, 1);
    expect(level(10)).toBeCloseTo(0.75, 1);
    expect(level(20)).toBeCloseTo(0.58, 1);
    expect(level(40)).toBeCloseTo(0.25, 1);
    expect(level(MAX_CONCEALED_MS)).toBe(0);
    expect(level(190)).toBe(0);
  });

  test('ends softly: real sound comes back over 10 ms', () => {
    expect(level(200)).toBeLessThan(0.75);
    expect(level(210)).toBeCloseTo(1, 1);
  });
});

test('speech with a tenth of its packets lost is nearer to what was said than a repeated packet is', () => {
  const speech = readWav(join(import.meta.dirname, '../../fixtures/speech/visitor.wav'));
  const packet = (speech.rate * 20) / 1000;
  const heardBy = (good: (part: Int16Array) => void, missing: (part: Int16Array) => void) => {
    const random = seeded(5);
    const heard = speech.samples.slice();
    const parts: [number, number][] = [];
    for (let at = 0; at + packet <= heard.length; at += packet) {
      const part = heard.subarray(at, at + packet);
      if (random.next() >= 0.1) good(part);
      else {
        missing(part);
        parts.push([(at * 1000) / speech.rate, ((at + packet) * 1000) / speech.rate + 20]);
      }
    }
    return distance(speech.samples, heard, speech.rate, parts);
  };
  const concealer = new Concealer(speech.rate);
  const concealed = heardBy(
    part => concealer.good(part, packet),
    part => concealer.conceal(part, packet),
  );
  const repeat = plainRepeat();
  const repeated = heardBy(repeat.good, repeat.missing);
  expect(concealed.segmentalSnr).toBeGreaterThan(repeated.segmentalSnr + 1.5);
  expect(concealed.spectral).toBeLessThan(repeated.spectral - 0.5);
});

test('noise does not turn into a buzz: the repeated stretch grows', () => {
  const random = seeded(3);
  const noise = new Int16Array(RATE).map(() => (random.next() - 0.5) * 20_000);
  const heard = heardWithout(noise, frame => frame >= 50 && frame < 55);
  // From 20 ms on, what is heard is no copy of what was heard one period (5 to 15 ms) before.
  const gap = heard.subarray(500 * 8 + 160, 550 * 8);
  let best = 0;
  for (let lag = 40; lag <= 120; lag++) {
    let alike = 0;
    let energy = 0;
    for (let index = lag; index < gap.length; index++) {
      alike += gap[index]! * gap[index - lag]!;
      energy += gap[index]! ** 2;
    }
    best = Math.max(best, alike / energy);
  }
  expect(best).toBeLessThan(0.8);
});

test('clips instead of wrapping where it bends a loud sound', () => {
  const random = seeded(9);
  const tone = sine(61, 32_767, RATE, 2);
  const heard = heardWithout(tone, frame => frame > 8 && random.next() < 0.3);
  expect(largestStep(heard)).toBeLessThan(20_000);
});
