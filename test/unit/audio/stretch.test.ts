import { expect, test } from 'vitest';
import { shorten } from '../../../firmware/audio/stretch.ts';
import { seeded } from '../../sim/seeded.ts';
import { largestStep, sine, toneSnr } from '../../sim/tone.ts';

test.each([
  [8000, 120, 20],
  [8000, 440, 20],
  [16_000, 300, 20],
  [48_000, 1000, 20],
  [16_000, 1000, 10],
  [16_000, 220, 60],
])('at %i Hz a tone of %i Hz in %i ms is cut and stays the tone', (rate, hz, ms) => {
  const sound = sine(hz, 10_000, rate, ms / 1000);
  const count = shorten(sound, sound.length, rate);
  expect(count).toBeLessThanOrEqual(sound.length - (rate * 2.5) / 1000);
  expect(count).toBeGreaterThanOrEqual(sound.length - (rate * 15) / 1000);
  expect(toneSnr(sound.subarray(0, count), hz, rate)).toBeGreaterThan(20);
  expect(largestStep(sound.subarray(0, count))).toBeLessThan(largestStep(sine(hz, 10_000, rate, 0.1)) * 1.2);
});

test('of silence the most is cut', () => {
  expect(shorten(new Int16Array(320), 320, 16_000)).toBe(160);
});

test('noise, in which a seam would be heard, is left whole', () => {
  const random = seeded(5);
  const noise = new Int16Array(320).map(() => (random.next() - 0.5) * 20_000);
  const before = noise.slice();
  expect(shorten(noise, 320, 16_000)).toBe(320);
  expect(noise).toEqual(before);
});

test('a packet too short to cut is left whole', () => {
  expect(shorten(sine(1000, 10_000, 8000, 0.0025), 20, 8000)).toBe(20);
});
