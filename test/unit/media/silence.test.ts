import { describe, expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { rms } from '../../../firmware/audio/frame.ts';
import type { CodecChoice } from '../../../firmware/media/protocol.ts';
import { emptyPacket, parseRtp } from '../../../firmware/rtp/packet.ts';
import { G722, OPUS, PCMA, type Phone, World } from '../../sim/phone.ts';
import { speechOf } from '../../sim/room.ts';
import { seeded } from '../../sim/seeded.ts';

const opus = loadLibopus(16_000);
const FRAME = 160;
const NOISE = 13;
/** A sentence, then silence up to the next. Seconds. */
const EVERY_S = 8;
const voice = speechOf('visitor').subarray(0, 3 * 16_000);

/** A visitor who says something at 0, 8, 16 … s, in a place that is not quite quiet. */
function speaks(noise: number) {
  const random = seeded(5);
  return (frame: Int16Array, index: number) => {
    for (let at = 0; at < FRAME; at++) {
      const sample = (index * FRAME + at) % (EVERY_S * 16_000);
      frame[at] = (voice[sample] ?? 0) + (random.next() - 0.5) * 2 * Math.sqrt(3) * noise;
    }
  };
}

interface Sent {
  payloadType: number;
  bytes: number;
  level: number;
  marker: boolean;
  atMs: number;
}

function call(codec: CodecChoice, noise = 30): { world: World; desk: Phone; sent: Sent[] } {
  const world = new World();
  const sent: Sent[] = [];
  world.network.onSend = (bytes, from) => {
    const packet = from.host === '192.0.2.1' ? parseRtp(bytes, emptyPacket()) : undefined;
    if (packet === undefined) return;
    const { payloadType, payload, marker } = packet;
    sent.push({ payloadType, bytes: payload.length, level: payload[0]!, marker, atMs: world.clock.now() });
  };
  const door = world.phone('192.0.2.1', { speaks: speaks(noise), opus });
  const desk = world.phone('192.0.2.2', { opus });
  world.connect(door, desk, codec, { telephoneEvent: undefined });
  return { world, desk, sent };
}

const energyDb = (sound: Int16Array) => 20 * Math.log10(rms(sound));

describe.each([
  ['PCMA', PCMA],
  ['G722', G722],
  ['opus', OPUS],
] as const)('silence over %s', (_, codec) => {
  test('is not sent, and every word is', () => {
    const whole = call(codec);
    const spared = call({ ...codec, silence: true });
    for (const { world } of [whole, spared]) world.run(24_000);
    expect(whole.sent.length).toBeGreaterThan(1190);
    expect(spared.sent.length).toBeLessThan(0.65 * whole.sent.length);
    // The second and the third sentence, each as loud as it was.
    for (const fromMs of [8000, 16_000]) {
      const [a, b] = [whole, spared].map(({ desk }) => energyDb(desk.heard(fromMs, fromMs + 3500)));
      expect(Math.abs(a! - b!)).toBeLessThan(0.7);
    }
  });

  test('ends with a marked packet', () => {
    const { world, sent } = call({ ...codec, silence: true });
    world.run(17_000);
    const sound = sent.filter(({ payloadType }) => payloadType !== NOISE);
    const breaks = sound.filter((packet, at) => at > 0 && packet.atMs - sound[at - 1]!.atMs > 60);
    expect(breaks.length).toBeGreaterThanOrEqual(2);
    for (const { marker } of breaks) expect(marker).toBe(true);
  });

  test('is sent where the peer does not take it', () => {
    const { world, sent } = call(codec);
    world.run(8000);
    expect(sent.length).toBeGreaterThan(390);
    expect(sent.every(({ payloadType }) => payloadType === codec.payloadType)).toBe(true);
  });
});

describe('comfort noise', () => {
  test('tells once a second how loud the silence is, and is heard as loud', () => {
    const { world, desk, sent } = call({ ...PCMA, silence: true }, 40);
    world.run(8000);
    const noise = sent.filter(({ payloadType, atMs }) => payloadType === NOISE && atMs > 4000);
    expect(noise.length).toBeGreaterThanOrEqual(3);
    expect(noise.length).toBeLessThanOrEqual(8);
    // Of the noise, 58 dB below overload, G.711 passes the lower half.
    for (const { level, bytes, marker } of noise) {
      expect([bytes, marker]).toEqual([1, false]);
      expect(Math.abs(level - 61)).toBeLessThanOrEqual(2);
    }
    expect(rms(desk.heard(6000, 7500))).toBeGreaterThan(20);
    expect(rms(desk.heard(6000, 7500))).toBeLessThan(40);
  });

  test.each([
    ['PCMA', PCMA],
    ['G722', G722],
    ['opus', OPUS],
  ] as const)('over %s is as loud as the noise that it stands for, without holes', (_, codec) => {
    const levels = [codec, { ...codec, silence: true }].map(each => {
      const { world, desk } = call(each, 60);
      world.run(8000);
      return Array.from({ length: 40 }, (_, part) => energyDb(desk.heard(4000 + 90 * part, 4090 + 90 * part)));
    });
    const [whole = [], spared = []] = levels;
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean(whole) - mean(spared))).toBeLessThan(2);
    expect(Math.min(...spared)).toBeGreaterThan(mean(whole) - 6);
    expect(Math.max(...spared)).toBeLessThan(mean(whole) + 4);
  });

  test('stands for no loud place: that is sent as it is', () => {
    const { world, sent } = call({ ...PCMA, silence: true }, 300);
    world.run(8000);
    expect(sent.filter(({ payloadType }) => payloadType === NOISE)).toEqual([]);
  });
});

describe('the copies in Opus', () => {
  const copies = (phone: Phone) => Number(/copies for (\d+) %/.exec(phone.media.engine.describe())?.[1]);

  test('follow the loss that the far end reports: up at once, down slowly', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', { speaks: speaks(30), opus });
    const desk = world.phone('192.0.2.2', { speaks: speaks(30), opus });
    world.connect(door, desk, OPUS);
    expect(copies(door)).toBe(15);
    world.run(35_000);
    const calm = copies(door);
    expect(calm).toBeLessThan(5);
    world.network.faults = { loss: 0.2 };
    for (let seconds = 0; seconds < 20 && copies(door) < 12; seconds++) world.run(1000);
    expect(copies(door)).toBeGreaterThanOrEqual(12);
    expect(copies(door)).toBeLessThanOrEqual(30);
  });

  test('are not made where they were not agreed', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', { opus });
    const desk = world.phone('192.0.2.2', { opus });
    world.connect(door, desk, { ...OPUS, fec: false });
    expect(copies(door)).toBeNaN();
  });
});
