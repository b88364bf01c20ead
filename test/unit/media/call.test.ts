import { describe, expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { opusRate } from '../../../firmware/audio/codecs/opus.ts';
import { loadOpusWasm } from '../../../firmware/audio/codecs/opus-wasm.ts';
import { rms } from '../../../firmware/audio/frame.ts';
import type { Clock } from '../../../firmware/lib/clock.ts';
import type { CodecChoice } from '../../../firmware/media/protocol.ts';
import { G722, OPUS, PCMA, PCMU, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, decibels, longestGapMs, toneLevel } from '../../sim/tone.ts';

const LOUD = 8000;
const codecs: [string, CodecChoice][] = [
  ['PCMA', PCMA],
  ['PCMU', PCMU],
  ['G722', G722],
  ['Opus', OPUS],
];

/** The level of a tone within a sound, dB against what was spoken. */
const level = (sound: Int16Array, hz: number, rate = 16_000) => decibels(toneLevel(sound, hz, rate) / LOUD);

/** A microphone that hears something like a voice: a buzz whose pitch and loudness never rest. */
function speaksVowels(frame: Int16Array, index: number) {
  for (let at = 0; at < frame.length; at++) {
    const time = (index * frame.length + at) / 16_000;
    let value = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++) {
      value += Math.sin(2 * Math.PI * 140 * harmonic * (time + 0.004 * Math.sin(2 * Math.PI * 3 * time))) / harmonic;
    }
    frame[at] = 5000 * value * (0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * time));
  }
}

/** Speaks a tone, with the Opus library at this rate. */
const talker = (hz: number, rate = 16_000) => ({
  rate,
  speaks: speaksTone(hz, LOUD, rate),
  opus: loadLibopus(opusRate(rate)),
});

function twoTalkers(world = new World()): [World, Phone, Phone] {
  return [world, world.phone('192.0.2.1', talker(440)), world.phone('192.0.2.2', talker(1000))];
}

describe('a call', () => {
  test.each(codecs)('over %s carries each tone to the other side within 1 dB, and not back', (_, codec) => {
    const [world, door, desk] = twoTalkers();
    world.connect(door, desk, codec);
    world.run(3000);
    expect(Math.abs(level(door.heard(1000), 1000))).toBeLessThan(1);
    expect(Math.abs(level(desk.heard(1000), 440))).toBeLessThan(1);
    expect(level(door.heard(1000), 440)).toBeLessThan(-45);
    expect(level(desk.heard(1000), 1000)).toBeLessThan(-45);
    expect(door.told('heard')).toEqual([{ is: 'heard', stream: 'call', from: '192.0.2.2:20002' }]);
  });

  test('over Opus in WebAssembly, with loss, too', async () => {
    const opus = await loadOpusWasm(16_000);
    const world = new World({ loss: 0.1 }, 2);
    const door = world.phone('192.0.2.1', { ...talker(440), opus });
    const desk = world.phone('192.0.2.2', { ...talker(1000), opus });
    world.connect(door, desk, OPUS);
    world.run(4000);
    expect(door.told('ready')).toEqual([{ is: 'ready', opus: 'libopus-wasm' }]);
    expect(blockSnr(desk.heard(1000), 440, 16_000)).toBeGreaterThan(20);
  });

  const rates = [8000, 16_000, 32_000, 48_000];
  test.each(
    [codecs[0]!, codecs[2]!].flatMap(([name, codec]) =>
      rates.flatMap(from => rates.map(to => [name, from, to, codec] as const)),
    ),
  )('over %s from a card of %i Hz to one of %i Hz', (_, from, to, codec) => {
    const world = new World();
    const door = world.phone('192.0.2.1', talker(440, from));
    const desk = world.phone('192.0.2.2', talker(1000, to));
    world.connect(door, desk, codec);
    world.run(2000);
    expect(Math.abs(level(door.heard(1000), 1000, from))).toBeLessThan(1);
    expect(Math.abs(level(desk.heard(1000), 440, to))).toBeLessThan(1);
    expect(blockSnr(desk.heard(1000), 440, to)).toBeGreaterThan(30);
  });

  test.each([10, 20, 30, 40, 50, 60])('of packets of %i ms', ptimeMs => {
    const [world, door, desk] = twoTalkers();
    let packets = 0;
    world.network.onSend = (bytes, from) => {
      if (from.port === 20_000 && bytes.length === 12 + ptimeMs * 8) packets++;
    };
    world.connect(door, desk, { ...PCMA, ptimeMs });
    world.run(3000);
    expect(packets).toBeGreaterThanOrEqual(3000 / ptimeMs - 1);
    expect(blockSnr(desk.heard(1000), 440, 16_000)).toBeGreaterThan(35);
  });

  test.each([
    [30, 20],
    [100, 60],
    [5, 10],
  ])('of Opus packets of %i ms, which it cannot make, in packets of %i', (ptimeMs, sentMs) => {
    const [world, door, desk] = twoTalkers();
    world.connect(door, desk, { ...OPUS, ptimeMs });
    world.run(3000);
    expect(Math.abs(level(desk.heard(1000), 440))).toBeLessThan(1);
    expect(door.media.engine.describe()).toContain(`opus 16 kHz ${sentMs} ms`);
  });

  test('is heard within 60 ms on a good network', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', { speaks: (frame, index) => index >= 200 && frame.fill(9000) });
    const desk = world.phone('192.0.2.2');
    world.connect(door, desk);
    world.run(3000);
    const sound = desk.heard(0);
    expect(sound.findIndex(sample => sample > 2000) / 16).toBeLessThan(2000 + 60 + 20);
  });
});

/**
 * Floors found by measuring, less 3 dB: a tone of 440 Hz through 10 s of loss, with 5 to 60 ms of delay. Signal to
 * noise, 20 ms at a time, dB; and the longest gap, ms.
 */
describe.each([
  ['PCMA', PCMA, 0, 36, 1],
  ['PCMA', PCMA, 5, 33, 2],
  ['PCMA', PCMA, 10, 30, 5],
  ['PCMA', PCMA, 20, 27, 30],
  ['G722', G722, 0, 54, 1],
  ['G722', G722, 5, 47, 2],
  ['G722', G722, 10, 40, 5],
  ['G722', G722, 20, 33, 30],
  ['Opus', OPUS, 0, 34, 1],
  ['Opus', OPUS, 5, 27, 10],
  ['Opus', OPUS, 10, 20, 12],
  ['Opus', OPUS, 20, 14, 20],
] as const)('%s at $2 % loss', (_, codec, percent, floorDb, gapMs) => {
  test.each([1, 2])('keeps the tone (seed %i)', seed => {
    const [world, door, desk] = twoTalkers(new World({ loss: percent / 100, delayMs: [5, 60] }, seed));
    world.connect(door, desk, codec);
    world.run(10_000);
    const sound = desk.heard(2000);
    expect(blockSnr(sound, 440, 16_000)).toBeGreaterThan(floorDb);
    expect(longestGapMs(sound, 16_000, 400)).toBeLessThan(gapMs);
    desk.send({ do: 'report' });
    world.run(10);
    const { lostPackets, concealedFrames } = desk.told('report')[0]!.streams.call!;
    expect(lostPackets).toBeGreaterThanOrEqual(percent * 3);
    expect(concealedFrames).toBeGreaterThanOrEqual(lostPackets * 2 - 10);
  });
});

test('the same seed gives the same sound, sample by sample', () => {
  const run = () => {
    const [world, door, desk] = twoTalkers(new World({ loss: 0.1, duplication: 0.1, delayMs: [5, 80] }, 7));
    world.connect(door, desk, OPUS);
    world.run(3000);
    return desk.heard(0);
  };
  expect(run()).toEqual(run());
});

describe('two sound cards that drift apart', () => {
  /** A clock that runs fast or slow against the world's. */
  const drifting = (clock: Clock, ppm: number): Clock => ({
    now: () => clock.now() * (1 + ppm / 1e6),
    after: (delayMs, task, name) => clock.after(delayMs / (1 + ppm / 1e6), task, name),
  });

  test.each([
    [500, PCMA],
    [-500, PCMA],
    [500, OPUS],
    [-500, OPUS],
    // Ten times what a bad crystal does, so that the buffer must give way many times.
    [5000, PCMA],
    [-5000, OPUS],
  ])('by %i ppm: the tone stays clean and the delay small', (ppm, codec) => {
    const world = new World();
    const door = world.phone('192.0.2.1', { ...talker(440), clock: drifting(world.clock, ppm) });
    const desk = world.phone('192.0.2.2', talker(1000));
    world.connect(door, desk, codec);
    world.run(40_000);
    desk.send({ do: 'report' });
    world.run(10);
    const { bufferMs } = desk.told('report')[0]!.streams.call!;
    expect(bufferMs).toBeLessThan(130);
    const sound = desk.heard(2000, 40_000);
    expect(longestGapMs(sound, 16_000, 400)).toBeLessThan(5);
    // Counted in samples the tone is the same on both sides.
    expect(blockSnr(sound, 440, 16_000)).toBeGreaterThan(28);
  });
});

test('over Opus, a voice is recovered from in-band FEC: far nearer to the truth than by concealment alone', () => {
  const heard = (loss: number, fec: boolean) => {
    const world = new World({}, 5);
    const door = world.phone('192.0.2.1', { ...talker(0), speaks: speaksVowels });
    const desk = world.phone('192.0.2.2', talker(0));
    world.connect(door, desk, { ...OPUS, fec });
    world.run(3000);
    world.network.faults = { loss };
    world.run(2000);
    return desk.heard(3000);
  };
  const error = (fec: boolean) => {
    const [truth, lossy] = [heard(0, fec), heard(0.1, fec)];
    return rms(lossy.map((sample, index) => sample - truth[index]!));
  };
  expect(decibels(error(false) / error(true))).toBeGreaterThan(6);
});

test('a network that stands still for 300 ms is a gap that fades and closes again, and the call goes on', () => {
  const [world, door, desk] = twoTalkers();
  world.connect(door, desk);
  world.run(3000);
  world.network.faults = { delayMs: [300, 300] };
  world.run(300);
  world.network.faults = {};
  world.run(3000);
  expect(rms(desk.heard(3150, 3200))).toBeLessThan(400);
  expect(blockSnr(desk.heard(5500), 440, 16_000)).toBeGreaterThan(30);
});
