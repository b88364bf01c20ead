/** Datagrams that a seed has spoiled: RTP, RTCP and key events never throw, and leave session and buffer usable. */
import { expect, test } from 'vitest';
import { JitterBuffer } from '../../firmware/rtp/jitter-buffer.ts';
import { parseRtp, writeRtp } from '../../firmware/rtp/packet.ts';
import { parseRtcp, printRtcp, type RtcpPacket } from '../../firmware/rtp/rtcp.ts';
import { RtpSession } from '../../firmware/rtp/session.ts';
import { TelephoneEventReceiver } from '../../firmware/rtp/telephone-event.ts';
import { seeded } from '../sim/seeded.ts';
import { spoil } from '../sim/spoil.ts';

const ROUNDS = 20_000;

function packetBytes(sequence: number, ssrc: number, payloadBytes: number): Uint8Array {
  const into = new Uint8Array(12 + payloadBytes);
  writeRtp(
    into,
    { payloadType: 8, marker: false, sequence, timestamp: sequence * 160, ssrc },
    new Uint8Array(payloadBytes),
  );
  return into;
}

const REPORT = { fractionLost: 1, cumulativeLost: 2, highestSequence: 3, jitter: 4, lastSr: 5, delaySinceLastSr: 6 };

const compound = (ssrc: number, about: number): RtcpPacket[] => [
  {
    type: 'SR',
    ssrc,
    ntpSeconds: 1,
    ntpFraction: 2,
    rtpTimestamp: 3,
    packets: 4,
    octets: 5,
    reports: [{ ssrc: about, ...REPORT }],
  },
  { type: 'SDES', sources: [{ ssrc, cname: 'peer@example.org' }] },
  { type: 'BYE', sources: [ssrc], reason: 'over' },
];

test(`${ROUNDS} spoiled RTP packets through session, buffer and key receiver`, () => {
  const random = seeded(1);
  const session = new RtpSession({ cname: 'a', clockRate: 8000, random: seeded(2), wallClock: () => 0 });
  const buffer = new JitterBuffer({ clockRate: 8000, minMs: 20, maxMs: 200 });
  const keys: string[] = [];
  const receiver = new TelephoneEventReceiver(8000, key => keys.push(key));
  let malformed = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const nowMs = i * 20;
    const bytes = packetBytes(i & 0xffff, 7, 160);
    const packet = parseRtp(random.next() < 0.7 ? spoil(bytes, random) : bytes);
    if (packet === undefined) malformed++;
    else {
      expect(packet.payload.length).toBeLessThanOrEqual(bytes.length * 2);
      if (session.received(packet, nowMs) === 'ok') {
        if (random.next() < 0.9) buffer.push(packet, nowMs);
        else buffer.pass(packet, nowMs);
      }
      receiver.receive(packet.payload, packet.timestamp, nowMs);
    }
    receiver.tick(nowMs);
    session.rtcp(nowMs);
    const pull = buffer.pull(nowMs + 5);
    if (pull.is === 'packet') expect(pull.payload.length).toBeLessThanOrEqual(1500);
  }
  expect(malformed).toBeGreaterThan(ROUNDS / 100);
  expect(malformed).toBeLessThan(ROUNDS / 2);
  expect(keys.every(key => /^[0-9*#A-D]$/.test(key))).toBe(true);

  // And then a good sender is heard again.
  let heard = 0;
  for (let i = 0; i < 50; i++) {
    const nowMs = (ROUNDS + i) * 20;
    const packet = parseRtp(packetBytes(i, 0x1234, 160))!;
    if (session.received(packet, nowMs) === 'ok') buffer.push(packet, nowMs);
    if (buffer.pull(nowMs + 5).is === 'packet') heard++;
  }
  expect(heard).toBeGreaterThan(40);
});

test(`${ROUNDS} spoiled RTCP packets`, () => {
  const random = seeded(3);
  const session = new RtpSession({ cname: 'a', clockRate: 8000, random: seeded(4), wallClock: () => 0 });
  const counts = { read: 0, malformed: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = spoil(printRtcp(compound(7, session.ssrc)), random);
    const packets = parseRtcp(bytes);
    expect(session.receivedRtcp(bytes, i * 20)).toBe(packets !== undefined);
    counts[packets === undefined ? 'malformed' : 'read']++;
    // What was understood can be said again, and means the same.
    if (packets !== undefined && packets[0]!.type !== 'BYE' && packets[0]!.type !== 'SDES') {
      expect(parseRtcp(printRtcp(packets))).toEqual(packets);
    }
    const { roundTripMs = 0, remoteLossFraction = 0 } = session.statistics;
    expect(roundTripMs).toBeGreaterThanOrEqual(0);
    expect(remoteLossFraction).toBeLessThan(1);
  }
  expect(counts.read).toBeGreaterThan(ROUNDS / 100);
  expect(counts.malformed).toBeGreaterThan(ROUNDS / 100);
});

test(`${ROUNDS} datagrams of noise`, () => {
  const random = seeded(5);
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random.next() * 64) }, () => random.uint32() & 0xff);
    // Half of them with the right version, to come further.
    if (bytes.length > 0 && random.next() < 0.5) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
    parseRtp(bytes);
    if (bytes.length > 1 && random.next() < 0.5) bytes[1] = 200 + (bytes[1]! & 3);
    parseRtcp(bytes);
  }
});
