import { expect, test } from 'vitest';
import { isBadWav, parseWav } from '../../../firmware/audio/wav.ts';
import { PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { decibels, toneLevel } from '../../sim/tone.ts';

const LOUD = 8000;
const FILE = '/recordings/a.wav';

function talking() {
  const world = new World();
  const door = world.phone('192.0.2.1', { speaks: speaksTone(440, LOUD, 16_000) });
  const desk = world.phone('192.0.2.2', { speaks: speaksTone(1000, LOUD, 16_000) });
  world.connect(door, desk, PCMA);
  world.run(500);
  return { world, door };
}

function recorded(phone: Phone): Int16Array {
  const wav = parseWav(phone.files.contents.get(FILE)!);
  if (isBadWav(wav)) throw new Error(wav.malformed);
  const samples = new Int16Array(wav.length);
  wav.read(0, samples.length, samples);
  return samples;
}

const level = (sound: Int16Array, hz: number) => decibels(toneLevel(sound.subarray(8000), hz, 16_000) / LOUD);

test('a call is recorded both ways until it ends', () => {
  const { world, door } = talking();
  door.send({ do: 'tap', what: 'call', file: FILE, limitMs: 60_000 });
  world.run(3000);
  door.send({ do: 'close', stream: 'call' });
  world.run(200);
  expect(door.told('recorded')).toEqual([{ is: 'recorded', file: FILE, forMs: expect.any(Number) }]);
  expect(Math.abs(door.told('recorded')[0]!.forMs! - 3000)).toBeLessThanOrEqual(20);
  expect(level(recorded(door), 440)).toBeGreaterThan(-1);
  expect(level(recorded(door), 1000)).toBeGreaterThan(-1);
});

test('lasts while the call is on hold here, in silence, and goes on after it', () => {
  const { world, door } = talking();
  door.send({ do: 'tap', what: 'call', file: FILE, limitMs: 60_000 });
  world.run(1000);
  door.send({ do: 'connect', stream: 'call', with: 'nobody' });
  world.run(2000);
  door.send({ do: 'connect', stream: 'call', with: 'device' });
  world.run(1000);
  expect(door.told('recorded')).toEqual([]);
  door.send({ do: 'close', stream: 'call' });
  world.run(200);
  expect(Math.abs(door.told('recorded')[0]!.forMs! - 4000)).toBeLessThanOrEqual(20);
  const during = (fromMs: number, toMs: number) => recorded(door).subarray(16 * fromMs, 16 * toMs);
  expect(decibels(toneLevel(during(500, 900), 440, 16_000) / LOUD)).toBeGreaterThan(-1);
  expect(during(1100, 2900).every(sample => sample === 0)).toBe(true);
  expect(decibels(toneLevel(during(3300, 3900), 440, 16_000) / LOUD)).toBeGreaterThan(-1);
  expect(decibels(toneLevel(during(3300, 3900), 1000, 16_000) / LOUD)).toBeGreaterThan(-1);
});

test('begun while the call is on hold, it waits for its return in silence', () => {
  const { world, door } = talking();
  door.send({ do: 'connect', stream: 'call', with: 'nobody' });
  door.send({ do: 'tap', what: 'call', file: FILE, limitMs: 60_000 });
  world.run(1000);
  door.send({ do: 'connect', stream: 'call', with: 'device' });
  world.run(2000);
  door.send({ do: 'stop tap' });
  world.run(100);
  expect(
    recorded(door)
      .subarray(0, 15_000)
      .every(sample => sample === 0),
  ).toBe(true);
  expect(decibels(toneLevel(recorded(door).subarray(32_000), 1000, 16_000) / LOUD)).toBeGreaterThan(-1);
});

test('the microphone alone is recorded also without a call, for as long as is allowed', () => {
  const { world, door } = talking();
  door.send({ do: 'close', stream: 'call' });
  world.run(100);
  door.send({ do: 'tap', what: 'microphone', file: FILE, limitMs: 2000 });
  world.run(3000);
  expect(door.told('recorded')).toEqual([
    { is: 'recorded', file: FILE, forMs: 2000, why: expect.stringContaining('the length that is allowed') },
  ]);
  expect(recorded(door).length).toBe(32_000);
  expect(level(recorded(door), 440)).toBeGreaterThan(-1);
  expect(level(recorded(door), 1000)).toBeLessThan(-40);
});

test('a full disk ends it, says so, and the call goes on', () => {
  const { world, door } = talking();
  door.send({ do: 'tap', what: 'call', file: FILE, limitMs: 60_000 });
  world.run(2500);
  door.files.fails = 'no space left on device';
  world.run(3000);
  expect(door.told('recorded')).toEqual([
    { is: 'recorded', file: FILE, forMs: expect.any(Number), why: 'no space left on device' },
  ]);
  expect(recorded(door).length).toBeGreaterThanOrEqual(2 * 16_000);
  expect(level(door.heard(4000, 5000), 1000)).toBeGreaterThan(-1);
});

test('is stopped by hand, and by another that begins', () => {
  const { world, door } = talking();
  door.send({ do: 'tap', what: 'call', file: FILE, limitMs: 60_000 });
  world.run(1000);
  door.send({ do: 'tap', what: 'microphone', file: '/recordings/b.wav', limitMs: 60_000 });
  world.run(1000);
  door.send({ do: 'stop tap' });
  world.run(100);
  expect(door.told('recorded').map(({ file, why }) => [file, why])).toEqual([
    [FILE, 'another began'],
    ['/recordings/b.wav', undefined],
  ]);
});

test('is whole on disk when the device stops', async () => {
  const { world, door } = talking();
  door.send({ do: 'tap', what: 'microphone', file: FILE, limitMs: 60_000 });
  world.run(1500);
  const stopped = door.media.stop();
  world.run(1000);
  await stopped;
  expect(recorded(door).length).toBeGreaterThanOrEqual(1.49 * 16_000);
});
