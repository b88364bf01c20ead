import { describe, expect, test } from 'vitest';
import { Interpolator } from '../../../hal/audio/interpolator.ts';
import { sineSnr } from '../../sim/tone.ts';

const FRAME = 160;
const RATE = 16_000;

/** `seconds` of a tone at RATE, through an interpolator of this step, frame by frame. */
function through(step: number, hz: number, seconds = 2) {
  const interpolator = new Interpolator(step, FRAME);
  const output = new Int16Array(1000);
  const all: number[] = [];
  let n = 0;
  for (let frame = 0; frame < seconds * 100; frame++) {
    const input = Int16Array.from({ length: FRAME }, () =>
      Math.round(8000 * Math.sin((2 * Math.PI * hz * n++) / RATE)),
    );
    const count = interpolator.process(input, FRAME, output);
    all.push(...output.subarray(0, count));
  }
  return Int16Array.from(all);
}

describe('sound between two clocks', () => {
  test('that agree is what it was, a little later', () => {
    const interpolator = new Interpolator(1, FRAME);
    const input = Int16Array.from({ length: FRAME }, (_, i) => ((i * 7919) % 65_536) - 32_768);
    const output = new Int16Array(FRAME);
    expect(interpolator.process(input, FRAME, output)).toBe(FRAME);
    expect(output.slice(interpolator.delay)).toEqual(input.slice(0, FRAME - interpolator.delay));
  });

  test.each([200, -200, 1000])('that are %s ppm apart keeps tones of speech 60 dB clean', ppm => {
    const step = 1 + ppm / 1e6;
    for (const hz of [300, 1000, 3400]) {
      const sound = through(step, hz);
      expect(sound.length).toBeGreaterThan(2 * RATE * (1 - ppm / 1e6) - 30);
      expect(sineSnr(sound.subarray(RATE / 2), hz * step, RATE)).toBeGreaterThan(60);
    }
  });

  test.each([48_000, 44_100, 22_050, 11_025, 8000])('at 16 kHz becomes sound at %s Hz, 55 dB clean', rate => {
    const step = RATE / rate;
    for (const hz of [300, 1000, 3000]) {
      const sound = through(step, hz);
      expect(Math.abs(sound.length - 2 * rate)).toBeLessThan(100);
      expect(sineSnr(sound.subarray(rate / 2), hz * step, RATE)).toBeGreaterThan(55);
    }
  });

  test('has nothing folded back into it where the rate goes down', () => {
    const sound = through(2, 7000);
    expect(sound.subarray(100).every(sample => Math.abs(sample) < 20)).toBe(true);
  });

  test.each([44_100, 48_000, 22_050, 8000])('knows what it takes of %s Hz for each whole frame', rate => {
    const interpolator = new Interpolator(rate / RATE, 600);
    const output = new Int16Array(FRAME);
    let taken = 0;
    for (let frame = 0; frame < 1000; frame++) {
      const inputs = interpolator.inputsFor(FRAME);
      taken += inputs;
      expect(interpolator.process(new Int16Array(inputs), inputs, output)).toBe(FRAME);
    }
    expect(Math.abs(taken - 10 * rate)).toBeLessThan(200);
  });

  test('clips what rises over full scale, and does not wrap', () => {
    const interpolator = new Interpolator(1.0005, FRAME);
    const input = Int16Array.from({ length: FRAME }, (_, i) => (Math.floor(i / 8) % 2 ? 32_767 : -32_768));
    const output = new Int16Array(FRAME + 2);
    for (let frame = 0; frame < 20; frame++) {
      const count = interpolator.process(input, FRAME, output);
      for (let at = 1; at < count; at++) expect(Math.abs(output[at]! - output[at - 1]!)).toBeLessThan(66_000);
      expect(Math.max(...output.subarray(0, count))).toBe(32_767);
    }
  });
});
