/** Keys as RTP events: RFC 4733 §2.3 to §2.6, on the wire and back. */
import { describe, expect, test } from 'vitest';
import {
  EVENT_TIMEOUT_MS,
  isKey,
  TelephoneEventReceiver,
  TelephoneEventSender,
} from '../../../firmware/rtp/telephone-event.ts';
import { seeded } from '../../sim/seeded.ts';

const PACKET_TICKS = 160;

interface Sent {
  event: number;
  end: boolean;
  volume: number;
  duration: number;
  marker: boolean;
  timestamp: number;
  bytes: Uint8Array;
}

/** Every packet of one key. */
function packetsOf(key: string, durationTicks: number, timestamp = 1000, packetTicks = PACKET_TICKS): Sent[] {
  const sender = new TelephoneEventSender(packetTicks);
  sender.start(key, durationTicks, timestamp);
  const sent: Sent[] = [];
  for (let packet = sender.step(); packet !== undefined; packet = sender.step()) {
    const bytes = packet.payload.slice();
    sent.push({
      event: bytes[0]!,
      end: bytes[1]! >= 0x80,
      volume: bytes[1]! & 0x7f,
      duration: (bytes[2]! << 8) | bytes[3]!,
      marker: packet.marker,
      timestamp: packet.timestamp,
      bytes,
    });
  }
  return sent;
}

/** Hears keys as `5 100ms`. */
function ear(clockRate = 8000) {
  const keys: string[] = [];
  const receiver = new TelephoneEventReceiver(clockRate, (key, durationMs) =>
    keys.push(`${key} ${Math.round(durationMs)}ms`),
  );
  return {
    keys,
    receiver,
    hear(sent: readonly Sent[], nowMs = 0) {
      for (const { bytes, timestamp } of sent) receiver.receive(bytes, timestamp, nowMs);
    },
  };
}

const block = (event: number, end: boolean, duration: number) =>
  Uint8Array.of(event, (end ? 0x80 : 0) | 10, duration >> 8, duration);

describe('sending', () => {
  test('one timestamp, growing duration, marker on the first, the end three times (§2.5.1)', () => {
    const sent = packetsOf('9', 5 * PACKET_TICKS);
    expect(sent.map(({ duration, end, marker }) => [duration, end, marker])).toEqual([
      [160, false, true],
      [320, false, false],
      [480, false, false],
      [640, false, false],
      [800, true, false],
      [800, true, false],
      [800, true, false],
    ]);
    expect(new Set(sent.map(({ timestamp }) => timestamp))).toEqual(new Set([1000]));
    expect(sent.every(({ event, volume }) => event === 9 && volume === 10)).toBe(true);
  });

  test('a key that is no whole number of packets ends exactly', () => {
    expect(packetsOf('1', 400).map(({ duration }) => duration)).toEqual([160, 320, 400, 400, 400]);
  });

  test('a key shorter than a packet lasts one packet', () => {
    expect(packetsOf('1', 0).map(({ duration, end, marker }) => [duration, end, marker])).toEqual([
      [160, true, true],
      [160, true, false],
      [160, true, false],
    ]);
  });

  test('codes of all keys (§3.2)', () => {
    expect([...'0123456789*#ABCD'].map(key => packetsOf(key, 160)[0]!.event)).toEqual([...Array(16).keys()]);
    expect(packetsOf('d', 160)[0]!.event).toBe(15);
  });

  test('goes on in a new segment where 16 bits end, without marker and without an end between (§2.5.1.3)', () => {
    const sent = packetsOf('5', 70_000, 0xffffff00);
    const second = sent.find(({ timestamp }) => timestamp !== 0xffffff00)!;
    const before = sent[sent.indexOf(second) - 1]!;
    expect(before.end).toBe(false);
    expect(before.duration).toBe(409 * 160);
    expect(second).toMatchObject({ timestamp: (0xffffff00 + 409 * 160) >>> 0, duration: 160, marker: false });
    expect(sent.filter(({ end }) => end)).toHaveLength(3);
    expect(before.duration + sent.at(-1)!.duration).toBe(70_000);
  });

  test('is busy until its last packet, then silent', () => {
    const sender = new TelephoneEventSender(PACKET_TICKS);
    expect(sender.busy).toBe(false);
    expect(sender.step()).toBeUndefined();
    sender.start('1', 160, 0);
    for (let i = 0; i < 3; i++) {
      expect(sender.busy).toBe(true);
      sender.step();
    }
    expect(sender.busy).toBe(false);
    expect(sender.step()).toBeUndefined();
  });

  test('refuses what is no key', () => {
    const sender = new TelephoneEventSender(PACKET_TICKS);
    for (const key of ['', 'E', '12', ' ', '+']) {
      expect(isKey(key)).toBe(false);
      expect(() => sender.start(key, 160, 0)).toThrow(RangeError);
    }
  });
});

describe('hearing', () => {
  test('one key once, at its end, with its duration', () => {
    const { keys, hear } = ear();
    const sent = packetsOf('#', 5 * PACKET_TICKS);
    hear(sent.slice(0, 4));
    expect(keys).toEqual([]);
    hear(sent.slice(4));
    expect(keys).toEqual(['# 100ms']);
  });

  test('a row of keys, with the same key twice', () => {
    const { keys, hear } = ear();
    for (const [i, key] of [...'15#55'].entries()) hear(packetsOf(key, 800, 1000 + i * 1600));
    expect(keys).toEqual(['1 100ms', '5 100ms', '# 100ms', '5 100ms', '5 100ms']);
  });

  test('only one of its packets has to arrive', () => {
    const sent = packetsOf('7', 800);
    for (const one of sent) {
      const { keys, receiver } = ear();
      receiver.receive(one.bytes, one.timestamp, 0);
      receiver.tick(EVENT_TIMEOUT_MS);
      expect(keys).toHaveLength(1);
    }
  });

  test('a lost end is made up for by the next key', () => {
    const { keys, hear } = ear();
    hear(packetsOf('1', 800, 1000).slice(0, 3));
    hear(packetsOf('2', 800, 3000));
    expect(keys).toEqual(['1 60ms', '2 100ms']);
  });

  test('or by time, once: an end that comes after it changes nothing', () => {
    const { keys, hear, receiver } = ear();
    const sent = packetsOf('1', 800);
    hear(sent.slice(0, 3), 50);
    receiver.tick(50 + EVENT_TIMEOUT_MS - 1);
    expect(keys).toEqual([]);
    receiver.tick(50 + EVENT_TIMEOUT_MS);
    expect(keys).toEqual(['1 60ms']);
    hear(sent.slice(3), 500);
    receiver.tick(5_000);
    expect(keys).toEqual(['1 60ms']);
  });

  test('packets of a key before, late, do not bring it back', () => {
    const { keys, hear } = ear();
    const first = packetsOf('1', 800, 1000);
    hear(first.slice(0, 5));
    hear(packetsOf('2', 800, 3000).slice(0, 2));
    hear(first.slice(5));
    hear(packetsOf('2', 800, 3000).slice(2));
    expect(keys).toEqual(['1 100ms', '2 100ms']);
  });

  test('a long key in segments is one key', () => {
    const { keys, hear } = ear();
    hear(packetsOf('5', 70_000, 0xffffff00));
    expect(keys).toEqual(['5 8750ms']);
  });

  test('a second key of the same name, just as far away, is a second key', () => {
    const { keys, hear } = ear();
    hear(packetsOf('5', 800, 1000));
    hear(packetsOf('5', 800, 1000 + 65_000));
    expect(keys).toEqual(['5 100ms', '5 100ms']);
  });

  test('a long key that paused until it was taken for ended is not heard again', () => {
    const { keys, hear, receiver } = ear();
    const sent = packetsOf('5', 70_000);
    hear(sent.slice(0, 409), 0);
    receiver.tick(EVENT_TIMEOUT_MS);
    hear(sent.slice(409), 400);
    receiver.tick(2_000);
    expect(keys).toEqual(['5 8180ms']);
  });

  test('timestamps that wrap', () => {
    const { keys, hear } = ear();
    hear(packetsOf('1', 800, 0xfffffff0));
    hear(packetsOf('2', 800, 0x600));
    expect(keys).toEqual(['1 100ms', '2 100ms']);
  });

  test('a clock of 48 kHz', () => {
    const { keys, hear } = ear(48000);
    hear(packetsOf('3', 4800, 0, 960));
    expect(keys).toEqual(['3 100ms']);
  });

  test('events that are no keys (flash, tones, trunk signals) are ignored', () => {
    const { keys, receiver } = ear();
    for (const event of [16, 32, 70, 255])
      expect(receiver.receive(block(event, true, 800), event * 2000, 0)).toBe(true);
    receiver.tick(10_000);
    expect(keys).toEqual([]);
  });

  test('several events in one packet follow each other in time (§2.5.1.5)', () => {
    const { keys, receiver } = ear();
    const packed = Uint8Array.of(...block(1, true, 800), ...block(2, true, 400), ...block(3, false, 160));
    receiver.receive(packed, 1000, 0);
    receiver.receive(block(3, true, 320), 1000 + 800 + 400, 20);
    expect(keys).toEqual(['1 100ms', '2 50ms', '3 40ms']);
  });

  test('a new source begins anew, and does not swallow the key before', () => {
    const { keys, hear, receiver } = ear();
    hear(packetsOf('1', 800, 100_000).slice(0, 2));
    receiver.reset();
    hear(packetsOf('2', 800, 50_000));
    expect(keys).toEqual(['1 40ms', '2 100ms']);
  });

  test('is malformed below four bytes', () => {
    const { keys, receiver } = ear();
    expect(receiver.receive(Uint8Array.of(1, 0x8a, 0), 0, 0)).toBe(false);
    receiver.tick(10_000);
    expect(keys).toEqual([]);
  });

  test('what is sent is heard once for each key, whatever is lost, doubled or out of order, while one packet comes', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const { keys, receiver } = ear();
      const dialled = Array.from({ length: 6 }, () => '0123456789*#'[Math.floor(random.next() * 12)]!);
      dialled.forEach((key, i) => {
        const arriving = packetsOf(key, 800, (0xfffff000 + i * 2400) >>> 0).filter(() => random.next() > 0.4);
        if (arriving.length === 0) arriving.push(...packetsOf(key, 800, (0xfffff000 + i * 2400) >>> 0).slice(0, 1));
        if (random.next() < 0.5) arriving.push(arriving[0]!);
        if (random.next() < 0.5) arriving.reverse();
        for (const { bytes, timestamp } of arriving) receiver.receive(bytes, timestamp, i * 300);
      });
      receiver.tick(100_000);
      expect(
        keys.map(key => key[0]),
        `seed ${seed}`,
      ).toEqual(dialled);
    }
  });
});
