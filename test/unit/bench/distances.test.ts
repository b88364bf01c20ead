import { expect, test } from 'vitest';
import { distance, spectrum } from '../../bench/distances.ts';
import { seeded } from '../../sim/seeded.ts';
import { sine } from '../../sim/tone.ts';

const RATE = 8_000;
const tone = sine(500, 10_000, RATE, 1);
const ALL = [[0, 1_000]] as const;

test('the same sound has the best SNR there is, and no distance', () => {
  expect(distance(tone, tone, RATE, ALL)).toEqual({ segmentalSnr: 35, spectral: 0 });
});

test('noise 20 dB below the tone is an SNR of 20 dB', () => {
  const random = seeded(1);
  const noisy = tone.map(sample => sample + (random.next() - 0.5) * Math.sqrt(6) * 1_000);
  expect(distance(tone, noisy, RATE, ALL).segmentalSnr).toBeCloseTo(20, 0);
});

test('half as loud is 6 dB away in every line that is loud, and an SNR of 6 dB', () => {
  const random = seeded(2);
  const noise = tone.map(() => (random.next() - 0.5) * 20_000);
  const found = distance(
    noise,
    noise.map(sample => sample / 2),
    RATE,
    ALL,
  );
  expect(found.segmentalSnr).toBeCloseTo(6.02, 1);
  expect(found.spectral).toBeCloseTo(6.02, 1);
});

test('what lies outside the parts does not count, nor a part in which nobody speaks', () => {
  const heard = tone.slice();
  heard.fill(0, 4_000, 4_160);
  expect(
    distance(tone, heard, RATE, [
      [0, 500],
      [600, 900],
    ]).segmentalSnr,
  ).toBe(35);
  expect(distance(tone, heard, RATE, [[500, 520]]).segmentalSnr).toBeCloseTo(0, 5);
  const quiet = tone.slice();
  quiet.fill(0, 0, 4_000);
  expect(
    distance(quiet, quiet, RATE, [
      [0, 400],
      [600, 900],
    ]).segmentalSnr,
  ).toBe(35);
  expect(() => distance(quiet, quiet, RATE, [[0, 400]])).toThrow('nobody speaks');
});

test('the spectrum of a tone has its summit where the tone is', () => {
  const lines = spectrum(256)(tone, 0);
  expect(lines.indexOf(Math.max(...lines))).toBe(16);
});
