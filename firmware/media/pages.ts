/** All pages of the device: its groups, who of them is heard, and what becomes of the call meanwhile. */
import { isIPv4 } from 'node:net';
import { frameSamples } from '../audio/frame.ts';
import { Gain, SILENT_DB } from '../audio/gain.ts';
import type { Chain } from '../audio/graph.ts';
import type { Mixer } from '../audio/mixer.ts';
import { toneOf } from '../audio/tones.ts';
import type { Address } from '../lib/address.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { arbitrate, type Loudness } from '../paging/arbiter.ts';
import { byAddress, MAX_GROUPS } from '../paging/groups.ts';
import { emptyPolycom, parsePolycom } from '../paging/polycom.ts';
import { looksLikeRtcp } from '../rtp/packet.ts';
import type { Codecs } from './codecs.ts';
import { GroupPort } from './group-port.ts';
import { GroupTest, keyOf } from './group-test.ts';
import { LoudspeakerClock } from './loudspeaker-clock.ts';
import type { MulticastNetwork } from './network.ts';
import { Page } from './page.ts';
import { DUCKED_DB, PageSound } from './page-sound.ts';
import type { GroupReport, MediaEvent, MediaSettings } from './protocol.ts';
import { QuerierWatch } from './querier-watch.ts';
import { Summoned } from './summoned.ts';
import { TimeHere } from './time-here.ts';

/** Of a page that is on, this often is told that it is. */
const GOES_ON_MS = 20_000;

export interface PagesOptions {
  clock: Clock;
  random: Random;
  network: MulticastNetwork;
  settings: MediaSettings;
  codecs: Codecs;
  rate: number;
  /** A packet of a page that this device sends itself. */
  isOurs(port: number, id: number): boolean;
  wallClock: WallClock;
  /** How far the wall clock may be off, milliseconds; undefined: nobody keeps it right. */
  wallClockErrorMs(): number | undefined;
  /** Until the frame that is being made leaves the loudspeaker. */
  heardInMs(): number;
  emit(event: MediaEvent): void;
}

const dbOf: Readonly<Record<Loudness, number>> = { full: 0, low: DUCKED_DB, silent: SILENT_DB };

export class Pages {
  readonly #options: PagesOptions;
  readonly #pages: Page[] = [];
  readonly #ports: GroupPort[] = [];
  readonly #summoned: Summoned[] = [];
  #test: GroupTest | undefined;
  readonly #querier: QuerierWatch;
  /** Group → why it is not joined. */
  readonly #faults = new Map<string, string | undefined>();
  /** What the loudspeaker gets of the call, and the call of the microphone. */
  readonly #callGain: Gain;
  readonly #microphoneGain: Gain;
  readonly #frame: Int16Array;
  readonly #loudspeaker = new LoudspeakerClock();
  readonly #timeHere: TimeHere;
  /** When the present frame is heard. */
  #heardMs = 0;
  #call: Loudness = 'full';
  #callWasUp = false;
  #began = 0;
  /** Somebody began, ended or has run out since the last frame. */
  #changed = false;
  /** Pages that are on, or still come out of their buffers. */
  #sounding = 0;
  #loudspeakerDb: number;
  #cardDb = 0;
  #saidMs = 0;

  constructor(options: PagesOptions) {
    const { rate, settings } = options;
    this.#options = options;
    this.#callGain = new Gain(rate, 0);
    this.#microphoneGain = new Gain(rate, 0);
    this.#frame = new Int16Array(frameSamples(rate));
    this.#loudspeakerDb = settings.loudspeakerDb;
    this.#timeHere = new TimeHere(options);
    const { clock, network } = options;
    this.#querier = new QuerierWatch(clock, () => network.openIgmp?.() ?? { why: 'nobody listens to IGMP' });
  }

  start() {
    const { settings, codecs, rate, isOurs, emit } = this.#options;
    const { paging, jitter } = settings;
    if (paging === undefined) return;
    for (const group of paging.groups.slice(0, MAX_GROUPS)) {
      const sound = new PageSound({
        dynamicCodec: group.dynamicCodec,
        codecs,
        rate,
        jitter,
        delayMs: paging.delayMs,
      });
      if (sound.lacks !== undefined) emit({ is: 'group', group: group.name, why: sound.lacks });
      this.#pages.push(
        new Page(group, sound, { silenceMs: paging.silenceMs, isOurs, onTurn: page => this.#turned(page) }),
      );
    }
    for (const shared of byAddress(this.#pages.map(page => ({ page, host: page.group.host, port: page.group.port })))) {
      this.#listenAt(
        shared[0]!,
        shared.map(({ page }) => page),
      );
    }
    if (paging.groups.some(({ host }) => isIPv4(host))) this.#querier.start();
  }

  #listenAt({ host, port }: Address, pages: Page[]) {
    const { clock, random, network, emit } = this.#options;
    const read = this.#reader(pages);
    const key = keyOf({ host, port });
    const groupPort = new GroupPort(
      { host, port },
      {
        clock,
        random,
        network,
        onPacket: (bytes, from) => {
          if (this.#test === undefined || !this.#test.takes(key, bytes)) read(bytes, from);
        },
        isBusy: () => pages.some(({ on }) => on),
        onChange: why => {
          for (const page of pages) {
            const { group } = page;
            page.joinedAtMs = clock.now();
            this.#faults.set(group.name, why);
            emit({ is: 'group', group: group.name, why });
          }
        },
      },
    );
    this.#ports.push(groupPort);
    groupPort.start();
    const { delayMs } = this.#options.settings.paging!;
    if (delayMs > 0 && pages[0]!.group.format === 'rtp' && port % 2 === 0) {
      this.#listenToReports({ host, port: port + 1 }, pages);
    }
  }

  /** Sender reports come to the port after an even one (RFC 3550 §11). Who sends none is not missed, nor is a port that cannot be had. */
  #listenToReports(address: Address, pages: Page[]) {
    const { clock, random, network } = this.#options;
    const reports = new GroupPort(address, {
      clock,
      random,
      network,
      onPacket: (bytes, from) => {
        for (const page of pages) page.onRtcp(bytes, from, this.#timeHere.of);
      },
      isBusy: () => pages.some(({ on }) => on),
      onChange: () => {},
    });
    this.#ports.push(reports);
    reports.start();
  }

  /** What is done with a packet to the address of these groups. */
  #reader(pages: Page[]): (bytes: Uint8Array, from: Address) => void {
    const { clock, network } = this.#options;
    const page = pages[0]!;
    switch (page.group.format) {
      case 'rtp':
        return (bytes, from) =>
          looksLikeRtcp(bytes) ? page.onRtcp(bytes, from, this.#timeHere.of) : page.onRtp(bytes, from, clock.now());
      case 'linksys': {
        const summoned = new Summoned(page, network, () => clock.now());
        this.#summoned.push(summoned);
        return (bytes, from) => summoned.onCommand(bytes, from);
      }
      case 'polycom': {
        const packet = emptyPolycom();
        return (bytes, from) => {
          if (parsePolycom(bytes, packet) === undefined) {
            page.counters.malformed++;
            return;
          }
          for (const each of pages)
            if (each.group.channel === packet.channel) each.onPolycom(packet, from, clock.now());
        };
      }
    }
  }

  #turned(page: Page) {
    this.#changed = true;
    if (page.on) {
      page.began = ++this.#began;
      return;
    }
    if (page.told === 'started') this.#tell(page, 'ended');
    page.told = 'nothing';
  }

  #tell(page: Page, state: 'started' | 'goes on' | 'ended' | 'ignored', why?: string) {
    const { name, level } = page.group;
    const untilMs = page.on ? this.#options.clock.now() : page.endedAtMs;
    this.#options.emit({
      is: 'page',
      state,
      group: name,
      level,
      source: page.talker.host,
      ...(page.caller !== '' && { caller: page.caller }),
      forMs: Math.round(untilMs - page.beganAtMs),
      ...(why !== undefined && { why }),
    });
  }

  // ---- at every frame, in this order -------------------------------------------------------------------------

  /** Who is heard from this frame on. */
  decide(callIsUp: boolean) {
    if (this.#pages.length === 0) return;
    const nowMs = this.#options.clock.now();
    this.#heardMs = this.#loudspeaker.next(nowMs, this.#options.heardInMs());
    this.#timeHere.look(nowMs);
    let sounding = 0;
    for (const page of this.#pages) {
      if (page.talker.isSilent(nowMs)) page.end(nowMs);
      if (page.on || !page.sound.isOut(nowMs)) sounding++;
    }
    for (const summoned of this.#summoned) summoned.tick(nowMs);
    if (this.#changed || sounding !== this.#sounding || (sounding > 0 && callIsUp !== this.#callWasUp)) {
      this.#changed = false;
      this.#sounding = sounding;
      this.#arbitrate(callIsUp, nowMs);
    }
    this.#callWasUp = callIsUp;
    if (nowMs - this.#saidMs >= GOES_ON_MS) this.#sayWhoGoesOn(nowMs);
  }

  #arbitrate(callIsUp: boolean, nowMs: number) {
    const { paging, country } = this.#options.settings;
    const claims = this.#pages.filter(page => page.on || !page.sound.isOut(nowMs));
    const { call, places } = arbitrate(claims, callIsUp, paging!.levels);
    for (const page of this.#pages) {
      const place = places.get(page);
      page.sound.set(place?.loudness ?? 'silent', this.#dbOf(page));
      if (place === undefined || !page.on) continue;
      if (place.why === undefined && page.told !== 'started') {
        page.told = 'started';
        this.#tell(page, 'started');
        if (paging!.levels[page.level].gong) page.sound.gong(toneOf('page', country));
      } else if (place.why !== undefined && page.told === 'nothing') {
        page.told = 'ignored';
        this.#tell(page, 'ignored', place.why);
      }
    }
    if (call === this.#call) return;
    this.#call = call;
    this.#callGain.set(dbOf[call]);
    this.#microphoneGain.set(call === 'silent' ? SILENT_DB : 0);
  }

  #dbOf({ group, level }: Page): number {
    const { volumeDb, leastDb } = this.#options.settings.paging!.levels[level];
    return Math.max(this.#loudspeakerDb + volumeDb + group.volumeDb, leastDb) - this.#cardDb;
  }

  #sayWhoGoesOn(nowMs: number) {
    this.#saidMs = nowMs;
    for (const page of this.#pages) if (page.on && page.told === 'started') this.#tell(page, 'goes on');
  }

  /** What the calls have brought into the mixer so far, as loud as pages let it be. */
  hush(mixer: Mixer) {
    if (this.#call === 'full' && this.#callGain.isSteady) return;
    this.#callGain.scale(mixer.sum);
  }

  /** After the loudspeaker's gain: a page has its own. */
  addTo(sum: Int32Array) {
    if (this.#pages.length === 0) return;
    const nowMs = this.#options.clock.now();
    for (const { sound } of this.#pages) {
      if (!sound.read(this.#frame, nowMs, this.#heardMs)) continue;
      for (let index = 0; index < sum.length; index++) sum[index]! += this.#frame[index]!;
    }
  }

  /** What the calls hear of the microphone: nothing while a page is in their place. */
  hushMicrophone(frame: Int16Array) {
    if (this.#call === 'full' && this.#microphoneGain.isSteady) return;
    this.#microphoneGain.apply(frame, frame);
  }

  /** Who talks on the group that has this address, and, with Polycom, this channel. */
  talkerAt({ host, port, channel }: { host: string; port: number; channel?: number }): string | undefined {
    return this.#pages.find(
      ({ on, group }) => on && group.host === host && group.port === port && group.channel === channel,
    )?.talker.host;
  }

  // ---- asked for ---------------------------------------------------------------------------------------------

  /** `cardDb`: what the card's mixer does to everything. */
  setVolume(loudspeakerDb: number, cardDb = 0) {
    this.#loudspeakerDb = loudspeakerDb;
    this.#cardDb = cardDb;
    this.#changed = true;
  }

  /** Whether what is sent to the groups arrives. One test at a time, whose answer is for all who ask. */
  test() {
    if (this.#test !== undefined) return;
    const { clock, random, network, emit } = this.#options;
    const groups = byAddress(this.#pages.map(({ group: { host, port } }) => ({ host, port }))).map(([first]) => first!);
    this.#test = new GroupTest(groups, {
      clock,
      random,
      network,
      done: arrived => {
        this.#test = undefined;
        const names = this.#pages.filter(({ group }) => arrived.has(keyOf(group))).map(({ group }) => group.name);
        emit({ is: 'groups tested', arrived: names, querier: this.#querier.report() });
      },
    });
    this.#test.start();
  }

  report(): Record<string, GroupReport> {
    const nowMs = this.#options.clock.now();
    return Object.fromEntries(this.#pages.map(page => [page.group.name, this.#reportOf(page, nowMs)]));
  }

  #reportOf(page: Page, nowMs: number): GroupReport {
    const { caller, beganAtMs, talker, sound, counters } = page;
    const why = this.#faults.get(page.group.name) ?? sound.lacks;
    const malformed = counters.malformed + sound.badPayloads;
    return {
      ...(why !== undefined && { why }),
      ...(page.on && {
        page: {
          source: talker.host,
          ...(caller !== '' && { caller }),
          heard: sound.loudness !== 'silent',
          forMs: Math.round(nowMs - beganAtMs),
        },
      }),
      counters: { ...counters, malformed, late: sound.latePackets, resyncs: sound.resyncs },
    };
  }

  chains(): Chain[] {
    return this.#pages
      .filter(({ on }) => on)
      .map(({ group, talker, sound }) => sound.chain({ name: `page ${group.name} ${talker.host}` }));
  }

  stop() {
    this.#test?.stop();
    this.#querier.stop();
    for (const port of this.#ports) port.stop();
    for (const summoned of this.#summoned) summoned.close();
    for (const page of this.#pages) {
      page.end(this.#options.clock.now());
      page.sound.close();
    }
    this.#pages.length = 0;
  }
}
