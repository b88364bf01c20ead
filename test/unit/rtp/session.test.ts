/** An RTP session between two ends: RFC 3550 §6 and §8. */
import { describe, expect, test } from 'vitest';
import { emptyPacket, type RtpPacket } from '../../../firmware/rtp/packet.ts';
import { parseRtcp, printRtcp } from '../../../firmware/rtp/rtcp.ts';
import { RtpSession } from '../../../firmware/rtp/session.ts';
import { seeded } from '../../sim/seeded.ts';

/** 2026-01-01T00:00:00Z, and the same in NTP seconds. */
const WALL_MS = 1_767_225_600_000;
const NTP_SECONDS = 3_976_214_400;

const session = (seed = 1, clockRate = 8000) =>
  new RtpSession({ cname: `porter-${seed}`, clockRate, random: seeded(seed), wallClock: () => WALL_MS });

const packet = (ssrc: number, sequence: number): RtpPacket => ({
  ...emptyPacket(),
  ssrc,
  sequence,
  timestamp: sequence * 160,
  payload: new Uint8Array(160),
});

/** Asks every 20 ms and tells when reports were given. */
function reportsOf(one: RtpSession, seconds: number, each?: (nowMs: number) => void) {
  const reports: { atMs: number; bytes: Uint8Array }[] = [];
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 20) {
    each?.(nowMs);
    const bytes = one.rtcp(nowMs);
    if (bytes !== undefined) reports.push({ atMs: nowMs, bytes });
  }
  return reports;
}

describe('what is sent', () => {
  test('counts sequence numbers across the wrap, and timestamps by the media clock alone', () => {
    const one = session();
    const first = { ...one.nextHeader(0, 8, 160) };
    one.advance(160);
    one.advance(160);
    const second = { ...one.nextHeader(40, 8, 160, true) };
    expect(second.sequence).toBe((first.sequence + 1) & 0xffff);
    expect((second.timestamp - first.timestamp) >>> 0).toBe(320);
    expect(second.marker).toBe(true);
    let last = second.sequence;
    for (let i = 0; i < 70_000; i++) {
      const { sequence } = one.nextHeader(0, 8, 160);
      expect(sequence).toBe((last + 1) & 0xffff);
      last = sequence;
    }
    expect(one.statistics).toMatchObject({ sentPackets: 70_002, sentBytes: 70_002 * 160 });
  });

  test('an event keeps the timestamp it is given, and the media clock goes on', () => {
    const one = session();
    const start = one.timestamp;
    one.advance(160);
    expect(one.nextHeader(0, 101, 4, true, start).timestamp).toBe(start);
    expect(one.nextHeader(0, 8, 160).timestamp).toBe((start + 160) >>> 0);
  });

  test('sequence, timestamp and SSRC begin anywhere (§5.1)', () => {
    const starts = [1, 2, 3].map(seed => ({ ...session(seed).nextHeader(0, 8, 160) }));
    expect(new Set(starts.map(({ ssrc }) => ssrc)).size).toBe(3);
    expect(new Set(starts.map(({ sequence }) => sequence)).size).toBe(3);
    expect(new Set(starts.map(({ timestamp }) => timestamp)).size).toBe(3);
  });
});

describe('reports', () => {
  test('come first after half the interval, then every 5 s, both spread by half (§6.2, §6.3.1)', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const times = reportsOf(session(seed), 120).map(({ atMs }) => atMs);
      // Divided by e − 3/2, and found at the next 20 ms.
      expect(times[0]).toBeGreaterThanOrEqual(1_026);
      expect(times[0]).toBeLessThanOrEqual(3_098);
      const intervals = times.slice(1).map((at, i) => at - times[i]!);
      expect(Math.min(...intervals)).toBeGreaterThanOrEqual(2_052);
      expect(Math.max(...intervals)).toBeLessThanOrEqual(6_176);
      expect(new Set(intervals).size).toBeGreaterThan(5);
    }
  });

  test('are RR with CNAME while only listening', () => {
    const one = session();
    one.received(packet(99, 1), 0);
    const [report] = reportsOf(one, 10);
    expect(parseRtcp(report!.bytes)).toMatchObject([
      { type: 'RR', ssrc: one.ssrc, reports: [{ ssrc: 99, highestSequence: 1 }] },
      { type: 'SDES', sources: [{ ssrc: one.ssrc, cname: 'porter-1' }] },
    ]);
  });

  test('are SR while speaking and for two intervals after (§6.4)', () => {
    const one = session();
    const reports = reportsOf(one, 60, nowMs => {
      if (nowMs < 10_000) one.nextHeader(nowMs, 8, 160);
    });
    const kinds = reports.map(
      ({ atMs, bytes }) => `${atMs < 10_000 ? 'speaking' : 'after'} ${parseRtcp(bytes)![0]!.type}`,
    );
    const after = kinds.filter(kind => kind.startsWith('after'));
    expect(kinds.filter(kind => kind === 'speaking RR')).toEqual([]);
    expect(after.slice(0, 2)).toEqual(['after SR', 'after SR']);
    expect(new Set(after.slice(2))).toEqual(new Set(['after RR']));
  });

  test('an SR names one instant in both clocks (§6.4.1), whenever the last packet was', () => {
    const one = session();
    const start = one.timestamp;
    one.nextHeader(0, 8, 160);
    const [report] = reportsOf(one, 10);
    const [sr] = parseRtcp(report!.bytes)!;
    if (sr?.type !== 'SR') throw new Error('not an SR');
    const sinceStartMs = (sr.ntpSeconds - NTP_SECONDS + sr.ntpFraction / 2 ** 32) * 1000;
    expect(sinceStartMs).toBeCloseTo(report!.atMs, 3);
    expect((sr.rtpTimestamp - start) >>> 0).toBe(report!.atMs * 8);
    expect(sr).toMatchObject({ packets: 1, octets: 160 });
  });

  test('a wall clock that is set in the midst does not bend them', () => {
    let wallMs = WALL_MS;
    const one = new RtpSession({ cname: 'a', clockRate: 8000, random: seeded(1), wallClock: () => wallMs });
    const reports = reportsOf(one, 30, nowMs => {
      one.nextHeader(nowMs, 8, 160);
      if (nowMs === 5_000) wallMs += 3_600_000;
    });
    const times = reports.map(({ bytes }) => {
      const [sr] = parseRtcp(bytes)!;
      return sr?.type === 'SR' ? sr.ntpSeconds - NTP_SECONDS : Number.NaN;
    });
    expect(times).toEqual(reports.map(({ atMs }) => Math.floor(atMs / 1000)));
  });
});

test('two ends measure round trip, and see their loss and jitter through each other', () => {
  const [a, b] = [session(1), session(2)];
  const delayMs = 35;
  const onTheWay: { atMs: number; deliver: () => void }[] = [];
  const send = (nowMs: number, deliver: () => void) => onTheWay.push({ atMs: nowMs + delayMs, deliver });
  for (let nowMs = 0; nowMs < 30_000; nowMs += 5) {
    while (onTheWay.length > 0 && onTheWay[0]!.atMs <= nowMs) onTheWay.shift()!.deliver();
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      if (nowMs % 20 === 0) {
        const header = { ...from.nextHeader(nowMs, 8, 160), payload: new Uint8Array(160) };
        from.advance(160);
        // Every tenth packet of `a` is lost.
        if (from === b || header.sequence % 10 !== 0) send(nowMs, () => to.received(header, nowMs + delayMs));
      }
      const report = from.rtcp(nowMs);
      if (report !== undefined) send(nowMs, () => expect(to.receivedRtcp(report, nowMs + delayMs)).toBe(true));
    }
  }
  expect(a.statistics.roundTripMs).toBeCloseTo(70, 0);
  expect(b.statistics.roundTripMs).toBeCloseTo(70, 0);
  expect(a.statistics.remoteLossFraction).toBeCloseTo(0.1, 1);
  expect(a.statistics.remoteLostPackets).toBeGreaterThan(50);
  expect(b.statistics).toMatchObject({ remoteLossFraction: 0, remoteJitterMs: 0, remoteLostPackets: 0 });
});

describe('sources', () => {
  test('a new SSRC takes over when the old one has stopped, and totals go on', () => {
    const one = session();
    for (let i = 1; i <= 10; i++) one.received(packet(5, i), i * 20);
    expect(one.received(packet(6, 900), 220)).toBe('probation');
    expect(one.received(packet(5, 11), 225)).toBe('ok');
    expect(one.received(packet(6, 901), 240)).toBe('probation');
    expect(one.received(packet(6, 902), 260)).toBe('ok');
    expect(one.remoteSsrc).toBe(6);
    expect(one.statistics).toMatchObject({ receivedPackets: 12, receivedBytes: 12 * 160, lostPackets: 0 });
  });

  test('a second source beside the first is never heard', () => {
    const one = session();
    for (let i = 1; i <= 100; i++) {
      expect(one.received(packet(5, i), i * 20)).toBe('ok');
      expect(one.received(packet(6, 500 + i), i * 20 + 1)).toBe('probation');
    }
    expect(one.remoteSsrc).toBe(5);
  });
});

describe('BYE', () => {
  test('is sent after a report and CNAME (§6.1), and seen by the peer', () => {
    const [a, b] = [session(1), session(2)];
    b.received({ ...a.nextHeader(0, 8, 160), payload: new Uint8Array(160) }, 0);
    const bytes = a.bye(100)!;
    expect(parseRtcp(bytes)!.map(({ type }) => type)).toEqual(['SR', 'SDES', 'BYE']);
    expect(b.statistics.goodbye).toBe(false);
    b.receivedRtcp(bytes, 100);
    expect(b.statistics.goodbye).toBe(true);
  });

  test('of somebody else changes nothing', () => {
    const one = session();
    one.received(packet(5, 1), 0);
    one.receivedRtcp(
      printRtcp([
        { type: 'RR', ssrc: 5, reports: [] },
        { type: 'BYE', sources: [77] },
      ]),
      10,
    );
    expect(one.statistics.goodbye).toBe(false);
  });

  test('is not sent by one who never said anything (§6.3.7)', () => {
    expect(session().bye(0)).toBeUndefined();
  });
});

describe('SSRC collision (§8.2)', () => {
  test('the peer has our SSRC: we take another, take leave of the old, and hear the peer', () => {
    const one = session();
    const old = one.nextHeader(0, 8, 160).ssrc;
    expect(one.received(packet(old, 1), 0)).toBe('ok');
    expect(one.ssrc).not.toBe(old);
    const [report] = reportsOf(one, 10);
    expect(parseRtcp(report!.bytes)!.at(-1)).toEqual({ type: 'BYE', sources: [old] });
    expect(one.statistics.sentPackets).toBe(0);
  });

  test('our own packets coming back are not heard, and we change once only', () => {
    const one = session();
    const first = { ...one.nextHeader(0, 8, 160) };
    one.received({ ...first, payload: new Uint8Array(160) }, 1);
    const changed = one.ssrc;
    for (let i = 1; i < 50; i++) {
      const echo = { ...one.nextHeader(i * 20, 8, 160), payload: new Uint8Array(160) };
      expect(one.received(echo, i * 20 + 1)).toBe('bad');
    }
    expect(one.ssrc).toBe(changed);
    expect(one.statistics.badPackets).toBe(49);
  });

  test('also seen in a report', () => {
    const one = session();
    const old = one.ssrc;
    one.receivedRtcp(printRtcp([{ type: 'RR', ssrc: old, reports: [] }]), 0);
    expect(one.ssrc).not.toBe(old);
  });
});

test('malformed RTCP is told and changes nothing', () => {
  const one = session();
  const before = one.statistics;
  expect(one.receivedRtcp(Uint8Array.of(1, 2, 3), 0)).toBe(false);
  expect(one.statistics).toEqual(before);
});

test('a report whose delay is nonsense gives no round trip', () => {
  const one = session();
  const reports = [
    {
      ssrc: one.ssrc,
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequence: 1,
      jitter: 80,
      lastSr: 1,
      delaySinceLastSr: 0x7fffffff,
    },
  ];
  one.rtcp(0);
  // The middle of the NTP time is 0x… of 2026; LSR so chosen that A − LSR − DLSR is below zero.
  const lastSr = ((NTP_SECONDS & 0xffff) << 16) >>> 0;
  reports[0]!.lastSr = lastSr;
  one.receivedRtcp(printRtcp([{ type: 'RR', ssrc: 5, reports }]), 0);
  expect(one.statistics.roundTripMs).toBeUndefined();
  expect(one.statistics.remoteJitterMs).toBe(10);
});
