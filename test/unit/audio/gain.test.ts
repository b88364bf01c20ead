import { expect, test } from 'vitest';
import { Gain, SILENT_DB } from '../../../firmware/audio/gain.ts';
import { printGraph } from '../../../firmware/audio/graph.ts';
import { Mixer } from '../../../firmware/audio/mixer.ts';

const RATE = 8000;

function apply(gain: Gain, value: number, samples = 80): Int16Array {
  const output = new Int16Array(samples);
  gain.apply(new Int32Array(samples).fill(value), output);
  return output;
}

test.each([
  [0, 10_000],
  [-6, 5012],
  [-20, 1000],
  [6, 19_953],
  [SILENT_DB, 0],
])('%i dB', (db, expected) => {
  expect(apply(new Gain(RATE, db), 10_000)[0]).toBe(expected);
});

test('clips at full scale, both ways', () => {
  expect(apply(new Gain(RATE, 20), 10_000)[0]).toBe(32_767);
  expect(apply(new Gain(RATE, 20), -10_000)[0]).toBe(-32_768);
});

test('changes over 30 ms in even steps, up and down', () => {
  const gain = new Gain(RATE, 0);
  for (const db of [SILENT_DB, 0, -6]) {
    gain.set(db);
    expect(gain.db).toBe(db);
    const ramp = apply(gain, 10_000, 240);
    for (let index = 1; index < ramp.length; index++) {
      expect(Math.abs(ramp[index]! - ramp[index - 1]!)).toBeLessThanOrEqual(43);
    }
    expect(
      apply(gain, 10_000).every(sample => sample === Math.round(10_000 * (db === SILENT_DB ? 0 : 10 ** (db / 20)))),
    ).toBe(true);
  }
});

test('sounds add up beyond 16 bits and come back when one goes', () => {
  const mixer = new Mixer(80);
  const loud = new Int16Array(80).fill(30_000);
  mixer.add(loud);
  mixer.add(loud);
  mixer.add(new Int16Array(80).fill(-30_000));
  expect(mixer.sum[0]).toBe(30_000);
  mixer.clear();
  expect(mixer.sum.every(sample => sample === 0)).toBe(true);
});

test('a graph prints itself as one would draw it', () => {
  const volume = new Gain(RATE, -6);
  expect(
    printGraph([
      [
        { name: 'microphone' },
        { name: 'gain', detail: () => `${volume.db} dB` },
        { name: 'rtp', detail: () => '[::1]:4000' },
      ],
      [{ name: 'mixer' }, { name: 'playback' }],
    ]),
  ).toBe('microphone → gain -6 dB → rtp [::1]:4000\nmixer → playback');
});
