import { expect, test } from 'vitest';
import { Pauses } from '../../../firmware/audio/pauses.ts';
import { sine } from '../../sim/tone.ts';

const packet = (amplitude: number) => sine(440, amplitude, 8000, 0.02);

/** For each packet, whether it was a pause. */
const listen = (pauses: Pauses, amplitude: number, packets: number) =>
  Array.from({ length: packets }, () => pauses.isPause(packet(amplitude), 160));

test('what is 18 dB softer than the voice was is a pause, and nothing louder', () => {
  const pauses = new Pauses();
  expect(listen(pauses, 8000, 50)).not.toContain(true);
  expect(listen(pauses, 1200, 5)).not.toContain(true);
  expect(listen(pauses, 800, 50)).not.toContain(false);
  expect(listen(pauses, 0, 50)).not.toContain(false);
});

test('a steady sound has none, whether soft or loud, and silence from the start neither', () => {
  for (const amplitude of [0, 100, 20_000]) expect(listen(new Pauses(), amplitude, 500)).not.toContain(true);
});

test('a loud moment is forgotten within half a minute', () => {
  const pauses = new Pauses();
  listen(pauses, 30_000, 1);
  const soft = listen(pauses, 1000, 1500);
  expect(soft[0]).toBe(true);
  expect(soft.at(-1)).toBe(false);
});
