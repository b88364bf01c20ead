/** One remote source: sequence validation (RFC 3550 A.1), loss (A.3), jitter (A.8). */
import { describe, expect, test } from 'vitest';
import { emptyPacket } from '../../../firmware/rtp/packet.ts';
import { RtpSource } from '../../../firmware/rtp/source.ts';

const PACKET_MS = 20;
const PACKET_TICKS = 160;

/** A source of G.711, fed by sequence number; the timestamp follows it, the arrival too unless given. */
function sourceOf(probation = 0) {
  const source = new RtpSource(7, 8000, probation);
  const receive = (sequence: number, nowMs = sequence * PACKET_MS, timestamp = sequence * PACKET_TICKS) =>
    source.receive(
      {
        ...emptyPacket(),
        sequence: sequence & 0xffff,
        timestamp: timestamp >>> 0,
        ssrc: 7,
        payload: new Uint8Array(160),
      },
      nowMs,
    );
  return { source, receive };
}

describe('sequence (A.1)', () => {
  test('in a call the first packet counts at once', () => {
    const { source, receive } = sourceOf();
    expect(source.valid).toBe(false);
    expect(receive(100)).toBe('ok');
    expect(source.valid).toBe(true);
  });

  test('on probation two packets in sequence are asked for', () => {
    const { source, receive } = sourceOf(2);
    expect([100, 102, 104].map(sequence => receive(sequence))).toEqual(['probation', 'probation', 'probation']);
    expect(source.valid).toBe(false);
    expect(receive(105)).toBe('ok');
    expect(source.received).toBe(1);
  });

  test('a packet out of order is welcome, its copy is a duplicate', () => {
    const { source, receive } = sourceOf();
    expect([1, 3, 2, 2, 3, 4].map(sequence => receive(sequence))).toEqual([
      'ok',
      'ok',
      'ok',
      'duplicate',
      'duplicate',
      'ok',
    ]);
    expect(source.duplicates).toBe(2);
  });

  test('goes on across the wrap, also out of order', () => {
    const { source, receive } = sourceOf();
    expect([65534, 65536, 65535, 65537].map(sequence => receive(sequence))).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(source.lost).toBe(0);
    expect(receive(65535)).toBe('duplicate');
    expect(source.report(0, 0).highestSequence).toBe(0x10001);
  });

  test('goes on across the wrap when number 0 is lost', () => {
    const { source, receive } = sourceOf();
    for (const sequence of [65535, 65537]) receive(sequence);
    expect(source.lost).toBe(1);
    expect(source.report(0, 0).highestSequence).toBe(0x10001);
  });

  test('a packet before the very first, across zero, is no duplicate', () => {
    const { receive } = sourceOf();
    expect(receive(0)).toBe('ok');
    expect(receive(65535)).toBe('ok');
  });

  test('one wild packet is bad and changes nothing; two in sequence are a restart', () => {
    const { source, receive } = sourceOf();
    receive(10);
    expect(receive(30_000)).toBe('bad');
    expect(receive(11)).toBe('ok');
    expect(receive(30_000)).toBe('bad');
    expect(receive(30_001)).toBe('ok');
    expect(receive(30_002)).toBe('ok');
    expect(source.restarts).toBe(1);
    expect(source.received).toBe(4);
    expect(source.lost).toBe(0);
  });

  test('the gap that is still believed is 2,999 packets forward and 99 back', () => {
    const forward = sourceOf();
    forward.receive(1000);
    expect(forward.receive(1000 + 2_999)).toBe('ok');
    expect(forward.receive(1000 + 2_999 + 3_000)).toBe('bad');
    const back = sourceOf();
    back.receive(1000);
    expect(back.receive(1000 - 99)).toBe('ok');
    expect(back.receive(1000 - 101)).toBe('bad');
  });
});

describe('loss (A.3)', () => {
  test('counts what is missing, and the fraction since the last report', () => {
    const { source, receive } = sourceOf();
    for (let sequence = 1; sequence <= 100; sequence++) if (sequence % 4 !== 0 || sequence === 100) receive(sequence);
    expect(source.lost).toBe(24);
    expect(source.report(0, 0)).toMatchObject({ cumulativeLost: 24, fractionLost: Math.floor((24 * 256) / 100) });
    for (let sequence = 101; sequence <= 200; sequence++) receive(sequence);
    expect(source.report(0, 0)).toMatchObject({ cumulativeLost: 24, fractionLost: 0 });
  });

  test('duplicates count as received, so that loss can become negative but its fraction not', () => {
    const { source, receive } = sourceOf();
    for (const sequence of [1, 2, 2, 2]) receive(sequence);
    expect(source.report(0, 0)).toMatchObject({ cumulativeLost: -2, fractionLost: 0 });
  });

  test('a report without anything new says nothing was lost', () => {
    const { source, receive } = sourceOf();
    receive(1);
    source.report(0, 0);
    expect(source.report(0, 0).fractionLost).toBe(0);
  });

  test('everything lost but the last packet is 255/256 at most', () => {
    const { source, receive } = sourceOf();
    receive(1);
    source.report(0, 0);
    receive(2_900);
    expect(source.report(0, 0).fractionLost).toBe(255);
  });

  test('bytes are those of the payload', () => {
    const { source, receive } = sourceOf();
    receive(1);
    receive(2);
    expect(source.receivedBytes).toBe(320);
  });
});

describe('jitter (A.8)', () => {
  test('is nothing for packets that come as they were sent, also across the wrap of the timestamp', () => {
    const { source, receive } = sourceOf();
    const wrap = Math.floor(2 ** 32 / PACKET_TICKS) - 5;
    for (let i = 0; i < 10; i++) receive(i, i * PACKET_MS, (wrap + i) * PACKET_TICKS);
    expect(source.jitterMs).toBe(0);
  });

  test('approaches the mean difference of neighbours by sixteenths', () => {
    const { source, receive } = sourceOf();
    receive(0, 0);
    receive(1, PACKET_MS + 16);
    expect(source.jitterMs).toBeCloseTo(1, 9);
    receive(2, 2 * PACKET_MS + 16);
    expect(source.jitterMs).toBeCloseTo(15 / 16, 9);
    for (let i = 3; i < 500; i++) receive(i, i * PACKET_MS + (i % 2) * 10);
    expect(source.jitterMs).toBeCloseTo(10, 3);
  });

  test('is not disturbed by the repeated timestamp of an event (RFC 4733)', () => {
    const { source, receive } = sourceOf();
    for (let i = 0; i < 5; i++) receive(i);
    for (let i = 5; i < 15; i++) receive(i, i * PACKET_MS, 5 * PACKET_TICKS);
    for (let i = 15; i < 20; i++) receive(i);
    expect(source.jitterMs).toBe(0);
  });
});
