import { describe, expect, test } from 'vitest';
import { cryptoSuites } from '../../../firmware/media/protection.ts';
import type { CodecChoice, StreamSettings } from '../../../firmware/media/protocol.ts';
import { G722, PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { decibels, toneLevel } from '../../sim/tone.ts';

const LOUD = 8000;
const level = (sound: Int16Array, hz: number) => decibels(toneLevel(sound, hz, 16_000) / LOUD);

const key = (fill: number, suite: string) =>
  new Uint8Array(cryptoSuites.find(({ name }) => name === suite)!.keyBytes).fill(fill);
const crypto = (suite: string, ours: number, theirs: number): StreamSettings['crypto'] => ({
  suite,
  ours: key(ours, suite),
  theirs: key(theirs, suite),
});

interface Keys {
  suite?: string;
  door?: StreamSettings['crypto'];
  desk?: StreamSettings['crypto'];
}

function talking({ suite = 'AES_CM_128_HMAC_SHA1_80', door, desk }: Keys = {}, faults = {}): [World, Phone, Phone] {
  const world = new World(faults, 2);
  const one = world.phone('192.0.2.1', { speaks: speaksTone(440, LOUD, 16_000) });
  const two = world.phone('192.0.2.2', { speaks: speaksTone(1000, LOUD, 16_000) });
  world.open(one);
  world.open(two);
  world.start(one, two, PCMA, { crypto: door ?? crypto(suite, 1, 2) });
  world.start(two, one, PCMA, { crypto: desk ?? crypto(suite, 2, 1) });
  world.run(3000);
  return [world, one, two];
}

function statistics(world: World, phone: Phone) {
  phone.send({ do: 'report' });
  world.run(1);
  return phone.told('report').at(-1)!.streams.call!;
}

describe.each(cryptoSuites.map(({ name }) => name))('%s', suite => {
  test('each hears the other, reports come through, and a listener on the wire hears nothing', () => {
    const wire: Uint8Array[] = [];
    const world = new World();
    world.network.onSend = bytes => wire.push(Uint8Array.from(bytes));
    const door = world.phone('192.0.2.1', { speaks: speaksTone(440, LOUD, 16_000) });
    const desk = world.phone('192.0.2.2');
    world.open(door);
    world.open(desk);
    world.start(door, desk, PCMA, { crypto: crypto(suite, 1, 2) });
    world.start(desk, door, PCMA, { crypto: crypto(suite, 2, 1) });
    world.run(12_000);
    expect(level(desk.heard(1000), 440)).toBeGreaterThan(-1);
    const counts = statistics(world, desk);
    expect(counts).toMatchObject({ malformedPackets: 0, srtp: { suite, refusedPackets: 0 } });
    expect(statistics(world, door).roundTripMs).toBeDefined();
    // A steady tone in A-law would repeat; what is encrypted never does.
    const payloads = wire
      .filter(({ length }) => length > 160)
      .map(bytes => Buffer.from(bytes.subarray(12, 172)).toString('hex'));
    expect(payloads.length).toBeGreaterThan(500);
    expect(new Set(payloads).size).toBe(payloads.length);
  });
});

test('loss, disorder and copies harm it no more than plain sound', () => {
  const [world, , desk] = talking({}, { loss: 0.1, duplication: 0.1, delayMs: [5, 60] });
  expect(level(desk.heard(1000), 440)).toBeGreaterThan(-1.5);
  expect(statistics(world, desk).srtp!.refusedPackets).toBeGreaterThan(5);
  expect(desk.told('not authentic')).toEqual([]);
});

test('a wrong key: nothing is heard, every packet is counted, and it is told once', () => {
  const [world, door, desk] = talking({ desk: crypto('AES_CM_128_HMAC_SHA1_80', 2, 7) });
  expect(Math.max(...desk.heard(0).map(Math.abs))).toBe(0);
  expect(desk.told('not authentic')).toEqual([{ is: 'not authentic', stream: 'call', packets: 25 }]);
  expect(statistics(world, desk).srtp!.refusedPackets).toBeGreaterThan(100);
  expect(level(door.heard(1000), 1000)).toBeGreaterThan(-1);
});

test('plain packets into an encrypted call are not heard', () => {
  const world = new World();
  const door = world.phone('192.0.2.1', { speaks: speaksTone(440, LOUD, 16_000) });
  const desk = world.phone('192.0.2.2');
  world.open(door);
  world.open(desk);
  world.start(door, desk, PCMA);
  world.start(desk, door, PCMA, { crypto: crypto('AEAD_AES_128_GCM', 2, 1) });
  world.run(2000);
  expect(Math.max(...desk.heard(0).map(Math.abs))).toBe(0);
});

test.each<[string, CodecChoice]>([
  ['the same codec', PCMA],
  ['another codec', G722],
])('a new offer with %s goes on under the same keys without a gap in their counts', (_what, codec) => {
  const [world, door, desk] = talking();
  world.start(door, desk, codec, { crypto: crypto('AES_CM_128_HMAC_SHA1_80', 1, 2) });
  world.start(desk, door, codec, { crypto: crypto('AES_CM_128_HMAC_SHA1_80', 2, 1) });
  world.run(2000);
  expect(level(desk.heard(4000), 440)).toBeGreaterThan(-1);
  expect(level(door.heard(4000), 1000)).toBeGreaterThan(-1);
});

test('new keys in mid-call are taken at once', () => {
  const [world, door, desk] = talking();
  world.start(door, desk, PCMA, { crypto: crypto('AEAD_AES_256_GCM', 5, 6) });
  world.start(desk, door, PCMA, { crypto: crypto('AEAD_AES_256_GCM', 6, 5) });
  world.run(2000);
  expect(level(desk.heard(4000), 440)).toBeGreaterThan(-1);
  expect(statistics(world, desk).srtp!.suite).toBe('AEAD_AES_256_GCM');
});
