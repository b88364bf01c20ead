import { describe, expect, test } from 'vitest';
import { lengthen, shorten } from '../../../firmware/audio/stretch.ts';
import { seeded } from '../../sim/seeded.ts';
import { largestStep, sine, toneSnr } from '../../sim/tone.ts';

const TONES: [number, number, number][] = [
  [8000, 120, 20],
  [8000, 440, 20],
  [16_000, 300, 20],
  [48_000, 1000, 20],
  [16_000, 1000, 10],
  [16_000, 220, 60],
];

test.each(TONES)('at %i Hz a tone of %i Hz in %i ms is cut and stays the tone', (rate, hz, ms) => {
  const sound = sine(hz, 10_000, rate, ms / 1000);
  const count = shorten(sound, sound.length, rate);
  expect(count).toBeLessThanOrEqual(sound.length - (rate * 2.5) / 1000);
  expect(count).toBeGreaterThanOrEqual(sound.length - (rate * 15) / 1000);
  expect(toneSnr(sound.subarray(0, count), hz, rate)).toBeGreaterThan(20);
  expect(largestStep(sound.subarray(0, count))).toBeLessThan(largestStep(sine(hz, 10_000, rate, 0.1)) * 1.2);
});

test.each(TONES)('at %i Hz a tone of %i Hz in %i ms is lengthened and stays the tone', (rate, hz, ms) => {
  const sound = new Int16Array((rate * (ms + 15)) / 1000);
  const before = (rate * ms) / 1000;
  sound.set(sine(hz, 10_000, rate, ms / 1000));
  const end = sound.slice(before - 10, before);
  const count = lengthen(sound, before, rate);
  expect(count).toBeGreaterThanOrEqual(before + (rate * 2.5) / 1000);
  expect(count).toBeLessThanOrEqual(before + (rate * 15) / 1000);
  expect(toneSnr(sound.subarray(0, count), hz, rate)).toBeGreaterThan(20);
  expect(largestStep(sound.subarray(0, count))).toBeLessThan(largestStep(sine(hz, 10_000, rate, 0.1)) * 1.2);
  // What comes next follows it as it did.
  expect(sound.slice(count - 10, count)).toEqual(end);
});

test('of silence the most is cut, as far as it may be', () => {
  expect(shorten(new Int16Array(320), 320, 16_000)).toBe(112);
  expect(shorten(new Int16Array(320), 320, 16_000, { mostMs: 5 })).toBe(240);
  expect(shorten(new Int16Array(320), 320, 16_000, { mostMs: 2 })).toBe(320);
});

describe('noise, in which a seam would be heard,', () => {
  const random = seeded(5);
  const noise = new Int16Array(640).map(() => (random.next() - 0.5) * 20_000);

  test('is left whole', () => {
    const sound = noise.slice();
    expect(shorten(sound, 320, 16_000)).toBe(320);
    expect(lengthen(sound, 320, 16_000)).toBe(320);
    expect(sound).toEqual(noise);
  });

  test('is cut and lengthened in a pause, no more than is allowed', () => {
    const pause = { isPause: true, mostMs: 6 };
    const shorter = shorten(noise.slice(), 320, 16_000, pause);
    expect(shorter).toBeLessThanOrEqual(320 - 40);
    expect(shorter).toBeGreaterThanOrEqual(320 - 96);
    const longer = lengthen(noise.slice(), 320, 16_000, pause);
    expect(longer).toBeGreaterThanOrEqual(320 + 40);
    expect(longer).toBeLessThanOrEqual(320 + 96);
  });
});

test('a packet too short to cut is left whole, and one that leaves no room is not lengthened', () => {
  expect(shorten(sine(1000, 10_000, 8000, 0.0025), 20, 8000)).toBe(20);
  expect(lengthen(sine(1000, 10_000, 8000, 0.02), 160, 8000)).toBe(160);
});
