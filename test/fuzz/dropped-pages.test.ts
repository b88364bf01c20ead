/**
 * What is dropped of pages is not heard: a speaker that gets spoiled and strange packets beside a page plays, to the sample,
 * what its twin plays who gets the page alone.
 */
import { expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import { groupProtection } from '../../firmware/media/group-key.ts';
import type { PageGroup } from '../../firmware/paging/groups.ts';
import type { LevelRule } from '../../firmware/paging/levels.ts';
import { printLinksys } from '../../firmware/paging/linksys.ts';
import { emptyPolycom, parsePolycom, printPolycom } from '../../firmware/paging/polycom.ts';
import { parseRtp, writeRtp } from '../../firmware/rtp/packet.ts';
import { printRtcp } from '../../firmware/rtp/rtcp.ts';
import { LONGEST_TRAILER_BYTES } from '../../firmware/rtp/srtp/suite.ts';
import { Pager } from '../sim/pager.ts';
import { World } from '../sim/phone.ts';
import { seeded } from '../sim/seeded.ts';
import { spoil } from '../sim/spoil.ts';
import { blockSnr } from '../sim/tone.ts';
import { below, pick } from './support/mutate.ts';

const RATE = 16_000;
const HZ = 431;
/** A Polycom telephone alerts for a second before it speaks. */
const PAGE_MS = 2_500;
const BAD_FROM_MS = 1_200;
const BAD_EVERY_MS = 5;
const TALKER = { host: '192.0.2.77', port: 40_000 };
const STRANGER = { host: '203.0.113.9', port: 4_000 };
const SOUND = { host: '239.1.1.9', port: 34_567 };
const CHANNEL = 26;
const KEY = Uint8Array.from({ length: 30 }, (_, index) => index);
const rule: LevelRule = { call: 'mix', pages: 'mix', volumeDb: 0, leastDb: -60, gong: false };
const levels = { background: rule, normal: rule, high: rule, emergency: rule };
const common = { name: 'hall', host: '239.1.1.1', port: 5_000, level: 'normal', sources: [], volumeDb: 0 } as const;

const groups = {
  'plain RTP': { ...common, format: 'rtp' },
  'a key': { ...common, format: 'rtp', key: KEY },
  Polycom: { ...common, format: 'polycom', channel: CHANNEL },
  Linksys: { ...common, format: 'linksys' },
} satisfies Record<string, PageGroup>;
type Kind = keyof typeof groups;

interface Bad {
  bytes: Uint8Array;
  from?: { host: string; port: number };
  /** Beside the group's own. */
  to?: { host: string; port: number };
}
/** `last`: what the talker has sent. */
type Spoiler = (last: Uint8Array, random: Random) => Bad;

const noise = (random: Random, bytes: number) => Uint8Array.from({ length: bytes }, () => random.uint32() & 0xff);
const rtp = (payloadType: number, ssrc: number, random: Random) => {
  const into = new Uint8Array(172);
  const numbers = { sequence: random.uint32() & 0xffff, timestamp: random.uint32() };
  writeRtp(into, { payloadType, marker: false, ssrc, ...numbers }, noise(random, 160));
  return into;
};
/** Spoiled until `reads` does not read it any more. */
function unreadable(last: Uint8Array, random: Random, reads: (bytes: Uint8Array) => boolean): Uint8Array {
  for (;;) {
    const bytes = spoil(last, random);
    if (!reads(bytes)) return bytes;
  }
}
const report = (ssrc: number, random: Random) => {
  const times = { ntpSeconds: random.uint32(), ntpFraction: random.uint32(), rtpTimestamp: random.uint32() };
  return printRtcp([{ type: 'SR', ssrc, ...times, packets: 4, octets: 5, reports: [] }]);
};
const REPORTS = { host: common.host, port: common.port + 1 };

const sound: Record<string, Spoiler> = {
  'what is no RTP': (last, random) => ({ bytes: unreadable(last, random, bytes => parseRtp(bytes) !== undefined) }),
  'a codec that nobody knows': (_, random) => ({ bytes: rtp(pick(random, [18, 77, 99]), 77, random) }),
  'another talker': (_, random) => ({ bytes: rtp(8, 78, random), from: STRANGER }),
  'the talker’s number from another place': (_, random) => ({ bytes: rtp(8, 77, random), from: STRANGER }),
  'reports of strangers, and spoiled ones': (_, random) =>
    random.next() < 0.5
      ? { bytes: report(77, random), from: STRANGER, to: REPORTS }
      : { bytes: report(77, random).subarray(0, below(random, 20)), to: REPORTS },
};
const toSound =
  (spoiler: Spoiler): Spoiler =>
  (last, random) => ({ to: SOUND, ...spoiler(last, random) });

const spoilers: Record<Kind, Record<string, Spoiler>> = {
  'plain RTP': sound,
  'a key': {
    'spoiled packets': (last, random) => ({
      bytes: unreadable(last, random, bytes => Buffer.compare(bytes, last) === 0),
      from: pick(random, [TALKER, STRANGER]),
    }),
    'its own packets once more': last => ({ bytes: last }),
    'sound in clear': (_, random) => ({ bytes: rtp(8, 77, random) }),
    'reports in clear': (_, random) => ({ bytes: report(77, random), to: REPORTS }),
  },
  Polycom: {
    'what is no Polycom packet': (last, random) => ({
      bytes: unreadable(last, random, bytes => parsePolycom(bytes) !== undefined),
    }),
    'another talker, and his end': (last, random) => ({
      bytes:
        random.next() < 0.5
          ? last
          : printPolycom({ ...emptyPolycom(), kind: 'end', channel: CHANNEL, serial: 0x000a0b0c }),
      from: STRANGER,
    }),
    'another channel': (_, random) => ({
      bytes: printPolycom({
        ...emptyPolycom(),
        kind: pick(random, ['audio', 'end']),
        channel: 7,
        serial: 0x000a0b0c,
        codec: 8,
        payload: noise(random, 160),
      }),
    }),
  },
  Linksys: {
    'words of no sense': (_, random) => ({ bytes: noise(random, 16) }),
    'a stop of another page': () => ({ bytes: printLinksys({ command: 'stop', id: 99, ...SOUND }), from: STRANGER }),
    ...Object.fromEntries(
      Object.entries(sound)
        .filter(([name]) => !name.startsWith('reports'))
        .map(([name, spoiler]) => [name, toSound(spoiler)]),
    ),
  },
};

function played(kind: Kind, delayMs: number, spoiler: Spoiler | undefined): Int16Array {
  const world = new World();
  const group = groups[kind];
  const paging = { groups: [group], levels, silenceMs: 1_000, delayMs };
  const speaker = world.phone('192.0.2.1', { rate: RATE, settings: { paging } });
  world.run(100);
  const isLinksys = kind === 'Linksys';
  const talker = new Pager(world, { hz: HZ, to: isLinksys ? SOUND : common, from: TALKER, ssrc: 77 });
  const protection = groupProtection(kind === 'a key' ? KEY : undefined);
  let last: Uint8Array = new Uint8Array(0);
  talker.send = bytes => {
    const packet = new Uint8Array(bytes.length + LONGEST_TRAILER_BYTES);
    packet.set(bytes);
    last = packet.slice(0, protection?.protect(packet, bytes.length) ?? bytes.length);
    world.network.send(last.slice(), TALKER, isLinksys ? SOUND : common);
  };
  if (isLinksys) new Pager(world, { hz: HZ, to: common, from: TALKER }).say({ command: 'start', id: 5, ...SOUND });
  world.run(20);
  if (kind === 'Polycom') talker.talkPolycom(CHANNEL);
  else talker.talk();
  const random = seeded(9);
  for (let ms = 0; ms < PAGE_MS; ms += BAD_EVERY_MS) {
    world.run(BAD_EVERY_MS);
    if (spoiler === undefined || ms < BAD_FROM_MS) continue;
    const { bytes, from = TALKER, to = common } = spoiler(last, random);
    world.network.send(bytes.slice(), { ...from }, to);
  }
  return speaker.heard(0);
}

const cases = (Object.keys(groups) as Kind[]).flatMap(kind => [0, 200].map(delayMs => [kind, delayMs] as const));

test.each(cases)('%s, played after %s ms: dropped packets are not heard', (kind, delayMs) => {
  const alone = played(kind, delayMs, undefined);
  expect(blockSnr(alone.subarray(1.6 * RATE), HZ, RATE)).toBeGreaterThan(25);
  for (const [name, spoiler] of Object.entries(spoilers[kind])) {
    const heard = played(kind, delayMs, spoiler);
    const index = heard.findIndex((sample, at) => sample !== alone[at]);
    expect([name, index]).toEqual([name, -1]);
  }
});

test('what is taken for the talker’s own is heard: the ear is not deaf', () => {
  const forged: Spoiler = (_, random) => ({ bytes: rtp(8, 77, random) });
  expect(played('plain RTP', 0, forged)).not.toEqual(played('plain RTP', 0, undefined));
});
