import { expect, test } from 'vitest';
import { Pauses } from '../../../firmware/audio/pauses.ts';
import { sine } from '../../sim/tone.ts';

const packet = (amplitude: number) => sine(440, amplitude, 8000, 0.02);

/** For each packet, whether it was a pause. */
const listen = (pauses: Pauses, amplitude: number, packets: number) =>
  Array.from({ length: packets }, () => pauses.isPause(packet(amplitude), 160, 20));

test('what is 18 dB softer than the voice was is a pause after 60 ms, and nothing louder', () => {
  const pauses = new Pauses();
  expect(listen(pauses, 8000, 50)).not.toContain(true);
  expect(listen(pauses, 1200, 50)).not.toContain(true);
  expect(listen(pauses, 800, 5)).toEqual([false, false, false, true, true]);
  expect(listen(pauses, 0, 50)).not.toContain(false);
});

test('what is soft within a word, or between two keys, is none', () => {
  const pauses = new Pauses();
  for (let key = 0; key < 10; key++) {
    listen(pauses, 8000, 3);
    expect(listen(pauses, 0, 3)).not.toContain(true);
  }
});

test('a steady sound has none, whether soft or loud, and silence from the start neither', () => {
  for (const amplitude of [0, 100, 20_000]) expect(listen(new Pauses(), amplitude, 500)).not.toContain(true);
});

test('a loud moment is forgotten within half a minute', () => {
  const pauses = new Pauses();
  listen(pauses, 30_000, 1);
  const soft = listen(pauses, 1000, 1500);
  expect(soft[3]).toBe(true);
  expect(soft.at(-1)).toBe(false);
});
