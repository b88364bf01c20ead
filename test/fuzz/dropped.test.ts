/**
 * What is dropped is not heard: a device that gets spoiled and strange packets beside a good peer's plays, to the sample,
 * what its twin plays who gets the good ones alone.
 */
import { expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import { parseRtp, writeRtp } from '../../firmware/rtp/packet.ts';
import { printRtcp, type RtcpPacket } from '../../firmware/rtp/rtcp.ts';
import { type SuiteName, suites } from '../../firmware/rtp/srtp/suite.ts';
import { seeded } from '../sim/seeded.ts';
import { spoil } from '../sim/spoil.ts';
import { blockSnr } from '../sim/tone.ts';
import { below, pick } from './support/mutate.ts';
import { DEVICE_RATE, HZ, PACKET_MS, PEER, TonePeer } from './support/tone-peer.ts';

/** A call of so many packets, with so many bad ones between each two of them. */
const PACKETS = 100;
const BAD_EACH = 4;
/** The peer is known for one by then: before, everybody may be. */
const KNOWN_AFTER = 5;
const suiteList = Object.keys(suites) as SuiteName[];
const strangers = [
  { host: '203.0.113.9', port: 4_000 },
  // The peer's host, but it speaks from another port all the while.
  { host: PEER.host, port: PEER.port + 6 },
];

interface Bad {
  bytes: Uint8Array;
  from?: { host: string; port: number };
  toRtcp?: boolean;
}
type Spoiler = (peer: TonePeer, random: Random) => Bad;

const noise = (random: Random, bytes: number) => Uint8Array.from({ length: bytes }, () => random.uint32() & 0xff);
const last = ({ sent }: TonePeer) => sent.at(-1)!;
const rtp = (
  header: { payloadType: number; sequence: number; ssrc: number; timestamp?: number },
  payload: Uint8Array,
) => {
  const into = new Uint8Array(12 + payload.length);
  writeRtp(into, { marker: false, timestamp: 0, ...header }, payload);
  return into;
};

/** Good enough to be believed, of everything that a report may say. */
function report(peer: TonePeer, random: Random): Uint8Array {
  const block = { fractionLost: 255, cumulativeLost: 9, highestSequence: 9, jitter: 9, lastSr: 9, delaySinceLastSr: 9 };
  const ssrc = pick(random, [peer.ssrc, peer.deviceSsrc, 99]);
  const times = { ntpSeconds: random.uint32(), ntpFraction: random.uint32(), rtpTimestamp: random.uint32() };
  const packets: RtcpPacket[] = [
    { type: 'SR', ssrc, ...times, packets: 4, octets: 5, reports: [{ ssrc: peer.deviceSsrc, ...block }] },
    { type: 'SDES', sources: [{ ssrc, cname: 'somebody' }] },
    { type: 'BYE', sources: [peer.ssrc], reason: 'over' },
  ];
  return printRtcp(packets);
}

/** Refused whatever comes before and after. */
const plain: Record<string, Spoiler> = {
  'no bytes, or fewer than a header': (peer, random) => ({ bytes: last(peer).slice(0, below(random, 12)) }),
  'another version': (peer, random) => ({ bytes: last(peer).with(0, pick(random, [0, 1, 3]) << 6) }),
  'more contributors than it has room for': peer => ({ bytes: last(peer).slice(0, 40).with(0, 0x8f) }),
  'an extension that is longer than the packet': peer => ({
    bytes: last(peer).with(0, 0x90).with(14, 0xff).with(15, 0xff),
  }),
  'padding that is longer than the packet': peer => ({
    bytes: last(peer)
      .with(0, 0xa0)
      .with(last(peer).length - 1, 255),
  }),
  'what the parser refuses of a spoiled packet': (peer, random) => {
    for (;;) {
      const bytes = spoil(last(peer), random);
      if (parseRtp(bytes) === undefined) return { bytes };
    }
  },
  'noise that is no RTP': (_, random) => ({ bytes: noise(random, below(random, 1_500)).with(0, 0x3c) }),
  'the peer’s own packets once more': (peer, random) => ({ bytes: pick(random, peer.sent.slice(-50)) }),
  'a source that nobody knows, one packet': ({ sequence, timestamp }, random) => ({
    bytes: rtp(
      { payloadType: 8, sequence: sequence ^ below(random, 0x1_0000), timestamp, ssrc: random.uint32() },
      noise(random, 160),
    ),
  }),
  'a sequence number far away, one packet': ({ sequence, ssrc }, random) => ({
    bytes: rtp(
      { payloadType: 8, sequence: (sequence + 4_000 + below(random, 50_000)) & 0xffff, ssrc },
      noise(random, 160),
    ),
  }),
  'the device’s own packets come back': ({ deviceSsrc }, random) => ({
    bytes: rtp({ payloadType: 8, sequence: random.uint32() & 0xffff, ssrc: deviceSsrc }, noise(random, 160)),
  }),
  'good packets of somebody else': ({ sequence, timestamp, ssrc }, random) => ({
    bytes: rtp({ payloadType: pick(random, [0, 8, 13, 101]), sequence, timestamp, ssrc }, noise(random, 160)),
    from: pick(random, strangers),
  }),
  'spoiled packets of somebody else': (peer, random) => ({
    bytes: spoil(last(peer), random),
    from: pick(random, strangers),
  }),
  'reports, spoiled or not, from anybody': (peer, random) => ({
    bytes: random.next() < 0.5 ? report(peer, random) : spoil(report(peer, random), random),
    from: pick(random, [PEER, ...strangers]),
    toRtcp: random.next() < 0.5,
  }),
};

/** Whoever has not the key is nobody: also from the peer's address, with the peer's numbers. */
const encrypted: Record<string, Spoiler> = {
  'spoiled packets': (peer, random) => ({ bytes: other(last(peer), random) }),
  'spoiled packets of before': (peer, random) => ({ bytes: other(pick(random, peer.sent), random) }),
  'the peer’s own packets once more': (peer, random) => ({ bytes: pick(random, peer.sent) }),
  'the next packet in clear': ({ sequence, timestamp, ssrc }, random) => ({
    bytes: rtp({ payloadType: 8, sequence, timestamp, ssrc }, noise(random, 160)),
  }),
  'the next packets under a tag of noise': ({ sequence, timestamp, ssrc }, random) => ({
    bytes: rtp(
      { payloadType: 8, sequence: (sequence + below(random, 3)) & 0xffff, timestamp, ssrc },
      noise(random, 176),
    ),
  }),
  noise: (_, random) => ({ bytes: noise(random, below(random, 1_500)) }),
  'reports in clear, spoiled or not': plain['reports, spoiled or not, from anybody']!,
};

/** Changed for certain. */
function other(bytes: Uint8Array, random: Random): Uint8Array {
  for (;;) {
    const spoiled = spoil(bytes, random);
    if (Buffer.compare(spoiled, bytes) !== 0) return spoiled;
  }
}

function played(suite: SuiteName | undefined, spoiler: Spoiler | undefined): Int16Array {
  const peer = new TonePeer({ suite });
  const random = seeded(5);
  for (let count = 0; count < PACKETS; count++) {
    peer.talk();
    for (let bad = 0; bad < BAD_EACH; bad++) {
      peer.world.run(PACKET_MS / BAD_EACH);
      if (spoiler === undefined || count < KNOWN_AFTER) continue;
      const { bytes, from, toRtcp } = spoiler(peer, random);
      peer.send(bytes, from && { ...from }, toRtcp);
    }
  }
  return peer.device.heard(0);
}

const twins = new Map<SuiteName | undefined, Int16Array>();
function alone(suite: SuiteName | undefined): Int16Array {
  const twin = twins.get(suite) ?? played(suite, undefined);
  twins.set(suite, twin);
  return twin;
}

test('the twin hears the tone', () => {
  for (const suite of [undefined, ...suiteList]) {
    const sound = alone(suite).subarray(DEVICE_RATE / 2);
    expect(sound.length, suite).toBeGreaterThan(DEVICE_RATE);
    expect(blockSnr(sound, HZ, DEVICE_RATE), suite).toBeGreaterThan(30);
  }
});

test('what is taken for the peer’s next packet is heard: the ear is not deaf', () => {
  const forged: Spoiler = ({ sequence, timestamp, ssrc }, random) => ({
    bytes: rtp({ payloadType: 8, sequence, timestamp, ssrc }, noise(random, 160)),
  });
  expect(differs(played(undefined, forged), alone(undefined))).toBeGreaterThan(KNOWN_AFTER * PACKET_MS);
});

test.each(Object.entries(plain))('not heard: %s', (_, spoiler) => {
  expect(differs(played(undefined, spoiler), alone(undefined))).toBeUndefined();
});

test.each(
  suiteList.flatMap(suite => Object.entries(encrypted).map(([name, spoiler]) => [suite, name, spoiler] as const)),
)('not heard under %s: %s', (suite, _, spoiler) => {
  expect(differs(played(suite, spoiler), alone(suite))).toBeUndefined();
});

/** Where, milliseconds. */
function differs(sound: Int16Array, twin: Int16Array): number | undefined {
  if (sound.length !== twin.length) return 0;
  const index = sound.findIndex((sample, at) => sample !== twin[at]);
  return index < 0 ? undefined : (index * 1000) / DEVICE_RATE;
}
