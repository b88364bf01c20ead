/** The round trip of somebody who only listens: RFC 3611 §4.4 and §4.5. */
import { describe, expect, test } from 'vitest';
import type { ExtendedReport } from '../../../firmware/rtp/extended-report.ts';
import { parseRtcp, printRtcp } from '../../../firmware/rtp/rtcp.ts';
import { RtpSession } from '../../../firmware/rtp/session.ts';
import { seeded } from '../../sim/seeded.ts';

const WALL_MS = 1_767_225_600_000;
const WAY_MS = 35;

const session = (seed: number, receiverTimes?: 'all' | 'sender') => {
  // Clocks of two devices need not agree.
  const wallClock = () => WALL_MS + seed * 1_234_567;
  const one = new RtpSession({ cname: `porter-${seed}`, clockRate: 8000, random: seeded(seed), wallClock });
  one.roundTrip.receiverTimes = receiverTimes;
  return one;
};

const timesIn = (bytes: Uint8Array) =>
  parseRtcp(bytes)!.filter((packet): packet is ExtendedReport => packet.type === 'XR');

/** Half a minute of two ends, of which `speaks` send sound; returns the extended reports of each. */
function talk(ends: readonly [RtpSession, RtpSession], speaks: readonly RtpSession[]) {
  const reports = new Map<RtpSession, ExtendedReport[]>(ends.map(end => [end, []]));
  const onTheWay: { atMs: number; deliver: () => void }[] = [];
  for (let nowMs = 0; nowMs < 30_000; nowMs += 5) {
    while (onTheWay.length > 0 && onTheWay[0]!.atMs <= nowMs) onTheWay.shift()!.deliver();
    for (const from of ends) {
      const to = ends[from === ends[0] ? 1 : 0];
      const send = (deliver: () => void) => onTheWay.push({ atMs: nowMs + WAY_MS, deliver });
      if (nowMs % 20 === 0 && speaks.includes(from)) {
        const packet = { ...from.nextHeader(nowMs, 8, 160), payload: new Uint8Array(160) };
        from.advance(160);
        send(() => to.received(packet, nowMs + WAY_MS));
      }
      const report = from.rtcp(nowMs);
      if (report === undefined) continue;
      reports.get(from)!.push(...timesIn(report));
      send(() => expect(to.receivedRtcp(report, nowMs + WAY_MS)).toBe(true));
    }
  }
  return ends.map(end => reports.get(end)!) as [ExtendedReport[], ExtendedReport[]];
}

describe('who only listens', () => {
  test.each(['all', 'sender'] as const)('learns the round trip from who sends, where that was agreed with %s', mode => {
    const [speaker, listener] = [session(1, mode), session(2, mode)];
    const [answers, questions] = talk([speaker, listener], [speaker]);
    expect(listener.statistics.roundTripMs).toBeCloseTo(2 * WAY_MS, 0);
    expect(speaker.statistics.roundTripMs).toBeCloseTo(2 * WAY_MS, 0);
    // Each question is answered once. Who sends asks nothing: its SR has the time.
    expect(questions.every(report => report.referenceTime !== undefined && report.delays === undefined)).toBe(true);
    expect(answers.every(report => report.referenceTime === undefined && report.delays?.length === 1)).toBe(true);
    expect(Math.abs(answers.length - questions.length)).toBeLessThan(questions.length / 2);
  });

  test('does not learn it where nothing was agreed, and nobody sends an extended report', () => {
    const [speaker, listener] = [session(1), session(2)];
    expect(talk([speaker, listener], [speaker])).toEqual([[], []]);
    expect(listener.statistics.roundTripMs).toBeUndefined();
  });

  test('learns it from somebody who is silent too, but not where only who sends shall answer', () => {
    const silent = (mode: 'all' | 'sender') => {
      const ends = [session(1, mode), session(2, mode)] as const;
      talk(ends, []);
      return ends.map(end => end.statistics.roundTripMs);
    };
    for (const roundTripMs of silent('all')) expect(roundTripMs).toBeCloseTo(2 * WAY_MS, 0);
    expect(silent('sender')).toEqual([undefined, undefined]);
  });
});

test('an answer to a question that was never asked, or to somebody else, measures nothing', () => {
  const answer = (to: number, lastRr: number) =>
    printRtcp([
      { type: 'RR', ssrc: 5, reports: [] },
      { type: 'XR', ssrc: 5, metrics: [], delays: [{ ssrc: to, lastRr, delaySinceLastRr: 0 }] },
    ]);
  const one = session(1, 'all');
  one.receivedRtcp(answer(one.ssrc, 1), 0);
  expect(one.statistics.roundTripMs).toBeUndefined();
  one.rtcp(0);
  const [question] = timesIn(one.rtcp(5_000)!);
  expect(question?.referenceTime).toBeDefined();
  one.receivedRtcp(answer(one.ssrc + 1, 1), 5_010);
  one.receivedRtcp(answer(one.ssrc, 0), 5_010);
  expect(one.statistics.roundTripMs).toBeUndefined();
});
