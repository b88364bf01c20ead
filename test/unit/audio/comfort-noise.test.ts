import { expect, test } from 'vitest';
import { ComfortNoise } from '../../../firmware/audio/comfort-noise.ts';
import { rms } from '../../../firmware/audio/frame.ts';

function after(level: number, samples = 16_000) {
  const noise = new ComfortNoise();
  expect(noise.set(Uint8Array.of(level, 120, 140))).toBe(true);
  const sound = new Int16Array(samples);
  noise.fill(sound, samples);
  return sound;
}
const dBov = (sound: Int16Array) => 20 * Math.log10(rms(sound) / 32_767);

test.each([40, 50, 65])('noise of -%d dBov is as loud as that', level => {
  expect(dBov(after(level).subarray(8_000))).toBeCloseTo(-level, 0);
});

test('begins softly, and never gets louder than -30 dBov', () => {
  expect(Math.abs(after(40, 1)[0]!)).toBeLessThan(10);
  expect(dBov(after(0).subarray(8_000))).toBeCloseTo(-30, 0);
  expect(rms(after(127).subarray(8_000))).toBe(0);
});

test('a payload without a level, or with the bit that must be zero, is none', () => {
  expect(new ComfortNoise().set(Uint8Array.of())).toBe(false);
  expect(new ComfortNoise().set(Uint8Array.of(0x80))).toBe(false);
});
