import { describe, expect, test } from 'vitest';
import { frameSamples } from '../../../firmware/audio/frame.ts';
import { resampler } from '../../../firmware/audio/resample.ts';
import { seeded } from '../../sim/seeded.ts';
import { decibels, sine, toneLevel } from '../../sim/tone.ts';

const rates = [8000, 16000, 32000, 44100, 48000];

/** Runs a second of sound through, frame by frame, and leaves out the first 50 ms. */
function convert(input: Int16Array, from: number, to: number): Int16Array {
  const frame = frameSamples(from);
  const converter = resampler(from, to, frame);
  const output = new Int16Array(to);
  const chunk = new Int16Array(frameSamples(to) + 1);
  let written = 0;
  for (let at = 0; at + frame <= input.length; at += frame) {
    const count = converter.process(input.subarray(at, at + frame), frame, chunk);
    output.set(chunk.subarray(0, count), written);
    written += count;
  }
  expect(written).toBe(to);
  return output.subarray(to / 20);
}

describe.each(rates.flatMap(from => rates.map(to => [from, to] as const)))('from %i to %i', (from, to) => {
  const lower = Math.min(from, to);

  test('keeps every tone of the pass band within half a decibel', () => {
    // A half-band filter is steeper than the FIR of rates that are less than twice each other.
    const edge = Math.max(from, to) >= 2 * lower ? 0.475 : 0.42;
    for (const hz of [300, 1000, lower * 0.25, lower * 0.42, lower * edge]) {
      const level = toneLevel(convert(sine(hz, 10_000, from, 1), from, to), hz, to);
      expect(Math.abs(decibels(level / 10_000))).toBeLessThan(0.5);
    }
  });

  test('leaves no image and no alias above −60 dB', () => {
    // A tone that the lower rate cannot hold must vanish; one that it holds must not appear again above it.
    if (from > to) {
      // A half-band filter is symmetric about the middle: its stop band begins just above.
      const edge = from >= 2 * to ? 0.521 : 0.5;
      for (const hz of [lower * edge, lower * 0.55, lower * 0.75, lower * 0.95].filter(hz => hz < from / 2)) {
        const heard = convert(sine(hz, 20_000, from, 1), from, to);
        const alias = Math.abs(hz - Math.round(hz / to) * to);
        expect(decibels(toneLevel(heard, alias, to) / 20_000)).toBeLessThan(-60);
      }
    } else if (from < to) {
      for (const hz of [500, lower * 0.3, lower * 0.42]) {
        const heard = convert(sine(hz, 20_000, from, 1), from, to);
        expect(decibels(toneLevel(heard, from - hz, to) / 20_000)).toBeLessThan(-60);
      }
    }
  });
});

test.each([
  [8000, 16_000],
  [16_000, 8000],
  [16_000, 48_000],
  [48_000, 16_000],
  [48_000, 8000],
  [44_100, 16_000],
])('from %i to %i in pieces of any length is the same as in whole frames', (from, to) => {
  const spoken = sine(700, 12_345, from, 1);
  const random = seeded(3);
  const whole = new Int16Array(to);
  const most = 50;
  const chunk = new Int16Array((most * to) / from + 2);
  resampler(from, to, from).process(spoken, from, whole);
  const converter = resampler(from, to, most);
  let written = 0;
  for (let at = 0; at < from; ) {
    const count = Math.min(from - at, random.uint32() % (most + 1));
    const made = converter.process(spoken.subarray(at, at + count), count, chunk);
    expect(chunk.subarray(0, made)).toEqual(whole.subarray(written, written + made));
    at += count;
    written += made;
  }
  expect(written).toBe(to);
});

test('a doubled and halved voice comes back, a millisecond later at most', () => {
  const spoken = sine(1000, 10_000, 8000, 0.1);
  const doubled = new Int16Array(1600);
  const back = new Int16Array(800);
  resampler(8000, 16_000, 800).process(spoken, 800, doubled);
  resampler(16_000, 8000, 1600).process(doubled, 1600, back);
  const likeness = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(later => {
    let sum = 0;
    for (let at = 100; at < 700; at++) sum += spoken[at]! * back[at + later]!;
    return sum / (600 * 10_000 * 5_000);
  });
  expect(Math.max(...likeness)).toBeGreaterThan(0.9);
});

test('equal rates pass the samples untouched', () => {
  const input = sine(700, 12_345, 16_000, 0.01);
  const output = new Int16Array(160);
  expect(resampler(16_000, 16_000, 160).process(input, 160, output)).toBe(160);
  expect(output).toEqual(input);
});

test('a rate with no whole frame still yields its exact number of samples over time', () => {
  const converter = resampler(11_025, 16_000, 110);
  const output = new Int16Array(200);
  let written = 0;
  for (let index = 0; index < 1000; index++) written += converter.process(new Int16Array(110), 110, output);
  expect(Math.abs(written - (110_000 * 16_000) / 11_025)).toBeLessThan(1);
});

test('clips instead of wrapping where the filter overshoots', () => {
  const square = new Int16Array(8000).map((_, index) => (Math.floor(index / 8) % 2 === 0 ? 32_767 : -32_768));
  const heard = convert(square, 8000, 16_000);
  let turns = 0;
  for (let index = 1; index < heard.length; index++) {
    if (Math.sign(heard[index]!) !== Math.sign(heard[index - 1]!)) turns++;
  }
  expect(turns).toBeLessThan(1000);
});

test.each([8000, 48_000])('reset forgets the sound inside, to %i', to => {
  const converter = resampler(16_000, to, 160);
  const output = new Int16Array(481);
  converter.process(sine(1000, 30_000, 16_000, 0.01), 160, output);
  converter.reset();
  output.fill(0);
  converter.process(new Int16Array(160), 160, output);
  expect(output.every(sample => sample === 0)).toBe(true);
});

test.each([
  [8_000, 16_000],
  [16_000, 8_000],
  [8_000, 48_000],
  [48_000, 8_000],
  [16_000, 48_000],
  [48_000, 16_000],
  [44_100, 16_000],
  [16_000, 16_000],
])('from %i to %i what comes out is as late as is said', (from, to) => {
  const hz = 100;
  const converter = resampler(from, to, from);
  const input = Int16Array.from({ length: from }, (_, at) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hz * at) / from)),
  );
  const output = new Int16Array(to + 1);
  converter.process(input, from, output);
  let sine = 0;
  let cosine = 0;
  // After it has settled, whole periods.
  for (let at = to / 2; at < to; at++) {
    sine += output[at]! * Math.sin((2 * Math.PI * hz * at) / to);
    cosine += output[at]! * Math.cos((2 * Math.PI * hz * at) / to);
  }
  expect((-Math.atan2(cosine, sine) / (2 * Math.PI * hz)) * 1000).toBeCloseTo(converter.delayMs, 2);
  expect(converter.delayMs).toBeLessThan(0.5);
});
