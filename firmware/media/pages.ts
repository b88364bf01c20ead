/** All pages of the device: its groups, who of them is heard, and what becomes of the call meanwhile. */
import { frameSamples } from '../audio/frame.ts';
import { Gain, SILENT_DB } from '../audio/gain.ts';
import type { Chain } from '../audio/graph.ts';
import type { Mixer } from '../audio/mixer.ts';
import { toneOf } from '../audio/tones.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { arbitrate, type Loudness } from '../paging/arbiter.ts';
import { MAX_GROUPS } from '../paging/groups.ts';
import type { Codecs } from './codecs.ts';
import { LoudspeakerClock } from './loudspeaker-clock.ts';
import type { MulticastNetwork } from './network.ts';
import { Page } from './page.ts';
import { DUCKED_DB, PageSound } from './page-sound.ts';
import { PageWays } from './page-ways.ts';
import type { GroupReport, MediaEvent, MediaSettings } from './protocol.ts';
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
  readonly #ways: PageWays;
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
    const { clock, random, network, emit } = options;
    const delayMs = settings.paging?.delayMs ?? 0;
    this.#ways = new PageWays({ clock, random, network, timeHere: this.#timeHere, delayMs, emit });
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
    this.#ways.start(this.#pages);
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
    this.#ways.tick(nowMs);
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

  /** Whether what is sent to the groups arrives: `groups tested`. */
  test() {
    this.#ways.test();
  }

  report(): Record<string, GroupReport> {
    const nowMs = this.#options.clock.now();
    return Object.fromEntries(this.#pages.map(page => [page.group.name, this.#reportOf(page, nowMs)]));
  }

  #reportOf(page: Page, nowMs: number): GroupReport {
    const { caller, beganAtMs, talker, sound, counters } = page;
    const why = this.#ways.whyNotJoined(page) ?? sound.lacks;
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
    this.#ways.stop();
    for (const page of this.#pages) {
      page.end(this.#options.clock.now());
      page.sound.close();
    }
    this.#pages.length = 0;
  }
}
