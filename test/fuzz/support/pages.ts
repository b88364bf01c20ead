/** What is fuzzed of paging: a device that listens to groups of every format, and hears good pages and spoiled ones. */
import { frameSamples } from '../../../firmware/audio/frame.ts';
import type { Address } from '../../../firmware/lib/address.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import { groupProtection } from '../../../firmware/media/group-key.ts';
import type { MulticastNetwork } from '../../../firmware/media/network.ts';
import { Pages } from '../../../firmware/media/pages.ts';
import type { PageCounters } from '../../../firmware/media/protocol.ts';
import type { PageGroup } from '../../../firmware/paging/groups.ts';
import type { LevelRule } from '../../../firmware/paging/levels.ts';
import { type LinksysCommand, printLinksys } from '../../../firmware/paging/linksys.ts';
import { emptyPolycom, type PolycomKind, printPolycom } from '../../../firmware/paging/polycom.ts';
import { looksLikeRtcp, writeRtp } from '../../../firmware/rtp/packet.ts';
import { printRtcp } from '../../../firmware/rtp/rtcp.ts';
import { LONGEST_TRAILER_BYTES } from '../../../firmware/rtp/srtp/suite.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { below, pick } from './mutate.ts';
import { codecs, type Listener, listening, RATE, settings, someSound } from './sounding.ts';
import type { Target } from './targets.ts';

const SOUND = { host: '239.1.1.9', port: 34_567 };
const KEY = Uint8Array.from({ length: 30 }, (_, index) => index);
const talker = { host: '192.0.2.7', port: 4_000 };
const stranger = { host: '203.0.113.9', port: 4_000 };
const rule: LevelRule = { call: 'mix', pages: 'mix', volumeDb: 0, leastDb: -60, gong: true };
const common = { host: '239.1.1.1', level: 'normal', sources: [], volumeDb: 0 } as const;
const groups: Record<string, PageGroup> = {
  pages: { ...common, name: 'plain', port: 5_000, format: 'rtp', dynamicCodec: 'L16/44100' },
  'keyed pages': { ...common, name: 'keyed', port: 5_002, format: 'rtp', key: KEY },
  polycom: { ...common, name: 'polycom', port: 5_001, format: 'polycom', channel: 26 },
  linksys: { ...common, name: 'linksys', port: 6_061, format: 'linksys' },
};

/** A device with one group, and whoever pages it. */
class Device implements Listener {
  readonly #group: PageGroup;
  readonly #clock = new VirtualClock();
  readonly #pages: Pages;
  /** Address → what listens there. */
  readonly #ears = new Map<string, (bytes: Uint8Array, from: Address) => void>();
  readonly #sum = new Int32Array(frameSamples(RATE));
  /** Another for each device: keys of a page that was heard are no use a second time. */
  readonly #protection;
  readonly #ssrc: number;
  #events = 0;
  #sequence = 0xfff0;
  #frames = 0;
  #before: PageCounters;

  constructor(group: PageGroup, seed: number) {
    this.#group = group;
    this.#ssrc = seed;
    this.#protection = groupProtection(group.key);
    const network: MulticastNetwork = {
      join: ({ host, port }, take, done) => {
        const key = `${host} ${port}`;
        this.#ears.set(key, take);
        done({ renew: () => undefined, close: () => void this.#ears.delete(key) });
      },
      openSender: (_options, done) => done({ why: 'nothing is sent here' }),
    };
    const levels = { background: rule, normal: rule, high: rule, emergency: rule };
    this.#pages = new Pages({
      clock: this.#clock,
      random: seeded(seed),
      network,
      settings: { ...settings, paging: { groups: [group], levels, silenceMs: 1_000, delayMs: 200 } },
      codecs,
      rate: RATE,
      isOurs: () => false,
      wallClock: () => this.#clock.now(),
      wallClockErrorMs: () => 1,
      heardInMs: () => 40,
      emit: () => this.#events++,
    });
    this.#pages.start();
    this.#before = this.#counters;
  }

  get #counters(): PageCounters {
    return { ...this.#pages.report()[this.#group.name]!.counters };
  }

  /** The next packet of a good page. With Linksys also the words around it. */
  input(random: Random): Buffer {
    const { format } = this.#group;
    if (format === 'polycom') return this.#polycom(random);
    if (format === 'rtp' && random.next() < 0.02) return this.#report(random);
    if (format !== 'linksys' || random.next() < 0.5) return this.#rtp(random);
    const command: LinksysCommand['command'] = random.next() < 0.5 ? 'start' : 'stop';
    return Buffer.from(printLinksys({ command, id: below(random, 3), ...SOUND }));
  }

  #rtp(random: Random): Buffer {
    const payloadType = pick(random, [0, 0, 8, 8, 9, 10, 11, 13, 99]);
    const size = payloadType === 10 || payloadType === 11 || payloadType === 99 ? 882 : 160;
    const payload = someSound(random, size);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const header = { payloadType, marker: false, sequence: this.#sequence, timestamp: this.#sequence * 160 };
    const packet = new Uint8Array(12 + size + LONGEST_TRAILER_BYTES);
    const length = writeRtp(packet, { ...header, ssrc: this.#ssrc }, payload);
    return Buffer.from(packet.subarray(0, this.#protection?.protect(packet, length) ?? length));
  }

  #report(random: Random): Buffer {
    const [ntpSeconds, ntpFraction, rtpTimestamp] = [random.uint32(), random.uint32(), random.uint32()];
    const sr = { type: 'SR' as const, ssrc: this.#ssrc, ntpSeconds, ntpFraction, rtpTimestamp };
    const plain = printRtcp([{ ...sr, packets: 0, octets: 0, reports: [] }]);
    const { bytes, length } = this.#protection?.protectReport(plain) ?? { bytes: plain, length: plain.length };
    return Buffer.from(bytes.subarray(0, length));
  }

  #polycom(random: Random): Buffer {
    const kind = pick<PolycomKind>(random, ['alert', 'audio', 'audio', 'audio', 'audio', 'audio', 'end']);
    const codec = pick(random, [0, 8, 9]);
    const size = pick(random, [80, 160, 160, 320]);
    const samples = this.#frames++ * pick(random, [80, 160]);
    const payload = new Uint8Array(size).fill(below(random, 256));
    const caller = pick(random, ['', 'Front desk', 'A name that is longer than it may be']);
    const packet = { ...emptyPolycom(), kind, channel: 26, serial: this.#ssrc, caller, codec, samples, payload };
    return Buffer.from(printPolycom(packet));
  }

  feed(bytes: Buffer, random: Random): string {
    const from = random.next() < 0.02 ? stranger : talker;
    // To the group, and with Linksys to where the sound is, while somebody listens there.
    const isSound = this.#group.format === 'linksys' && bytes.length !== 16;
    const isReport = this.#group.format === 'rtp' && looksLikeRtcp(bytes);
    const { host, port } = isSound ? SOUND : { ...this.#group, port: this.#group.port + (isReport ? 1 : 0) };
    // What is decrypted in place must not change the input.
    this.#ears.get(`${host} ${port}`)?.(Uint8Array.from(bytes), { ...from });
    // Now and then a silence: the page is over, and the next may be anybody's.
    for (let frames = random.next() < 0.001 ? 120 : 1; frames > 0; frames--) {
      this.#clock.advance(10);
      this.#pages.decide(random.next() < 0.01);
      this.#sum.fill(0);
      this.#pages.addTo(this.#sum);
    }
    if (this.#events > 1_000_000) throw new Error('events without end');
    if (this.#ears.size > 2) throw new Error(`${this.#ears.size} groups are joined`);
    return this.#end();
  }

  #end(): string {
    const before = this.#before;
    const after = this.#counters;
    this.#before = after;
    for (const [name, count] of Object.entries(after))
      if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${name} is ${count}`);
    if (after.packets > before.packets) return 'heard';
    const dropped = (['malformed', 'otherCodec', 'otherTalker', 'notAuthentic'] as const).find(
      name => after[name] > before[name],
    );
    return dropped === undefined ? 'passed over' : 'dropped';
  }

  finish() {
    const random = seeded(1);
    // Longer than a word of Linksys about a page that never came is believed.
    for (let silence = 0; silence < 600; silence++) this.feed(Buffer.alloc(0), random);
    const before = this.#counters.packets;
    for (let count = 0; count < 200; count++) this.feed(this.input(random), seeded(2));
    if (this.#counters.packets < before + 20) throw new Error('a good page is not heard any more');
    this.#pages.stop();
    if (this.#ears.size > 0) throw new Error('a group is still joined');
  }
}

let devices = 0;

/** Plain RTP with G.711, G.722 and L16, the same with a key, Polycom, Linksys with its sound. */
export const pages: readonly Target[] = Object.entries(groups).map(([name, group]) =>
  listening(name, 1, () => new Device(group, ++devices)),
);
