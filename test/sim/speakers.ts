/**
 * Many loudspeakers of one building, and somebody who pages them with clicks: when, by a clock that none of them has, is
 * each click heard at each? Every speaker has its own crystals, sound card, wall clock, and way through the network.
 */
import { g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import type { Address } from '../../firmware/lib/address.ts';
import type { Random } from '../../firmware/lib/random.ts';
import { InProcessMedia } from '../../firmware/media/in-process.ts';
import type { MulticastNetwork } from '../../firmware/media/network.ts';
import type { LevelRule } from '../../firmware/paging/levels.ts';
import { NtpClock } from '../../firmware/rtp/ntp.ts';
import { writeRtp } from '../../firmware/rtp/packet.ts';
import { printRtcp } from '../../firmware/rtp/rtcp.ts';
import { SimulatedAudio } from '../../hal/audio/simulated.ts';
import { ClickEar } from './click-ear.ts';
import type { Path } from './jitter-models.ts';
import { SimulatedMediaNetwork } from './media-network.ts';
import { ordinarySound, simulatedCard } from './media-settings.ts';
import { MemoryFiles } from './memory-files.ts';
import { seeded } from './seeded.ts';
import { skewed } from './skewed-clock.ts';
import { VirtualClock } from './virtual-clock.ts';

const GROUP = { host: '239.1.1.1', port: 5_000 };
const SENDER = { host: '192.0.2.77', port: 40_000 };
const SSRC = 0x1234_5678;
const PACKET_MS = 20;
const REPORT_MS = 1_000;
/** Between two clicks; in samples of the sender not a multiple of its packets. */
const CLICK_MS = 505;
const FIRST_CLICK_MS = 500;
const CLICK = 20_000;
const UNIX_MS = 1_800_000_000_000;
const RATES = [8_000, 16_000, 8_000, 16_000, 8_000, 16_000, 48_000];

export interface BuildingOptions {
  seed: number;
  /** `paging.delay`. 0: each by its own jitter buffer. */
  delayMs: number;
  /** The way of the packets to one speaker. */
  path(random: Random): Path;
  /** Crystals are off by up to so much, parts per million. */
  ppm?: number;
  /** What sound cards add, and what they say of it is wrong by up to ±3 ms from frame to frame. */
  cardMs?: readonly [least: number, most: number];
  /** Absent: the sender sends no reports. */
  reports?: {
    senderIsOffMs?: number;
    /** What the wall clock of a speaker is off; `vouched`: whether its kernel says that it is right. */
    wallClock(index: number, random: Random): { offMs: number; vouched: boolean };
  };
}

/** When each click was heard, by its number. */
type Clicks = Map<number, number>;

class Speaker {
  readonly clicks: Clicks = new Map();
  readonly media: InProcessMedia;
  readonly #latencyMs: number;
  readonly #rate: number;
  readonly #building: Building;

  constructor(building: Building, index: number, options: BuildingOptions) {
    const { ppm = 100, cardMs: [least, most] = [20, 120], reports } = options;
    const random = seeded(options.seed * 1_000 + index);
    const off = () => (2 * random.next() - 1) * ppm;
    this.#building = building;
    this.#latencyMs = least + (most - least) * random.next();
    this.#rate = RATES[index % RATES.length]!;
    const spec = simulatedCard(this.#rate);
    const ear = new ClickEar(this.#rate, heardMs => this.clicks.set(this.#number(heardMs), heardMs));
    const audio = new SimulatedAudio({
      spec,
      clock: skewed(building.clock, off()),
      sink: frame => ear.hear(frame, building.clock.now() + this.#latencyMs),
      playbackDelayMs: () => this.#latencyMs + 6 * random.next() - 3,
    });
    const { offMs, vouched } = reports?.wallClock(index, random) ?? { offMs: 0, vouched: false };
    const path = options.path(random);
    const rule: LevelRule = { call: 'duck', pages: 'interrupt', volumeDb: 0, leastDb: -60, gong: false };
    this.media = new InProcessMedia({
      clock: skewed(building.clock, off(), 1e6 * random.next()),
      wallClock: () => Math.floor(UNIX_MS + building.clock.now() + offMs),
      wallClockErrorMs: () => (vouched ? 1 : undefined),
      random,
      network: new SimulatedMediaNetwork(building.clock, random).host('192.0.2.1'),
      multicast: building.multicast(path),
      files: new MemoryFiles(building.clock),
      opus: undefined,
      audio,
      settings: {
        ...ordinarySound(spec.rate, 'speaker'),
        paging: {
          groups: [{ name: 'all', ...GROUP, format: 'rtp', level: 'normal', sources: [], volumeDb: 0 }],
          levels: { background: rule, normal: rule, high: rule, emergency: rule },
          silenceMs: 1_000,
          delayMs: options.delayMs,
        },
      },
    });
    const startsAfterMs = 50 * random.next();
    building.clock.after(startsAfterMs, () => this.media.start(), 'speaker starts');
  }

  /** Which it is: each is heard before the next is sent. */
  #number(heardMs: number): number {
    return Math.floor((heardMs - this.#building.pagedAtMs - FIRST_CLICK_MS) / CLICK_MS);
  }
}

export class Building {
  readonly clock = new VirtualClock();
  readonly speakers: Speaker[] = [];
  pagedAtMs = 0;
  readonly #options: BuildingOptions;
  readonly #members = new Map<string, Set<(bytes: Uint8Array) => void>>();
  readonly #stops: (() => void)[] = [];

  constructor(options: BuildingOptions) {
    this.#options = options;
  }

  /** More speakers are switched on. */
  add(count: number) {
    for (let i = 0; i < count; i++) this.speakers.push(new Speaker(this, this.speakers.length, this.#options));
  }

  /** The network as a speaker at the end of this way has it. */
  multicast(path: Path): MulticastNetwork {
    return {
      join: (group, onPacket, done) => {
        const key = String(group.port);
        const members = this.#members.get(key) ?? new Set();
        this.#members.set(key, members);
        const take = (bytes: Uint8Array) => {
          const wayMs = path(this.clock.now());
          if (wayMs !== undefined) this.clock.after(wayMs, () => onPacket(bytes, { ...SENDER }), 'datagram');
        };
        members.add(take);
        done({ renew: () => undefined, close: () => members.delete(take) });
      },
      openSender: (_to, done) => done({ why: 'these only listen' }),
    };
  }

  #send(bytes: Uint8Array, { port }: Address) {
    for (const take of this.#members.get(String(port)) ?? []) take(bytes);
  }

  /** Begins to page; `ppm`: of the sender's crystal. */
  page({ ppm = 40 } = {}) {
    const clock = skewed(this.clock, ppm);
    const encoder = g711Encoder('PCMA');
    const samples = new Int16Array(160);
    let index = 0;
    const startMs = clock.now();
    this.pagedAtMs = this.clock.now();
    const first = 0xffff_0000;
    const talk = () => {
      samples.fill(0);
      for (let at = 0; at < samples.length; at++)
        if ((index * 160 + at) % (CLICK_MS * 8) === FIRST_CLICK_MS * 8) samples[at] = CLICK;
      const payload = new Uint8Array(160);
      encoder.encode(samples, payload);
      const bytes = new Uint8Array(12 + 160);
      const header = { payloadType: 8, marker: index === 0, sequence: (index + 65_500) & 0xffff, ssrc: SSRC };
      writeRtp(bytes, { ...header, timestamp: (first + index * 160) >>> 0 }, payload);
      this.#send(bytes, GROUP);
      index++;
      // The first sample of a packet was heard when the packet before it left.
      this.#stops[0] = clock.after(Math.max(0, startMs + index * PACKET_MS - clock.now()), talk, 'page packet');
    };
    talk();
    const { reports } = this.#options;
    if (reports === undefined) return;
    const ntp = new NtpClock(() => Math.floor(UNIX_MS + this.clock.now() + (reports.senderIsOffMs ?? 0)));
    const report = () => {
      const { seconds, fraction } = ntp.at(this.clock.now());
      const rtpTimestamp = (first + Math.round((clock.now() - startMs) * 8)) >>> 0;
      const counts = { packets: index, octets: index * 160, reports: [] };
      const sr = {
        type: 'SR' as const,
        ssrc: SSRC,
        ntpSeconds: seconds,
        ntpFraction: fraction,
        rtpTimestamp,
        ...counts,
      };
      this.#send(printRtcp([sr, { type: 'SDES', sources: [{ ssrc: SSRC, cname: 'desk' }] }]), {
        ...GROUP,
        port: GROUP.port + 1,
      });
      this.#stops[1] = clock.after(REPORT_MS, report, 'sender report');
    };
    this.#stops[1] = clock.after(100, report, 'sender report');
  }

  hush() {
    for (const stop of this.#stops) stop();
  }

  run(ms: number) {
    this.clock.advance(ms);
  }

  /** Of each click that at least a third of the speakers heard: from the first to the last of them. Milliseconds. */
  spreads(): number[] {
    const heard = new Map<number, number[]>();
    for (const { clicks } of this.speakers) {
      for (const [number, atMs] of clicks) heard.set(number, [...(heard.get(number) ?? []), atMs]);
    }
    const enough = [...heard].filter(([, times]) => times.length >= this.speakers.length / 3);
    return enough.sort(([a], [b]) => a - b).map(([, times]) => Math.max(...times) - Math.min(...times));
  }
}
