/** All pages that this device sends now: begun and ended by command, given their sound at every frame. */
import type { Cadence } from '../audio/cadence.ts';
import type { Opus } from '../audio/codecs/opus.ts';
import { frameSamples } from '../audio/frame.ts';
import type { Chain } from '../audio/graph.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { MAX_SENT_PAGES, type PageZone } from '../paging/zones.ts';
import type { Codecs } from './codecs.ts';
import type { Files } from './files.ts';
import type { MulticastNetwork } from './network.ts';
import type { Player } from './player.ts';
import type { MediaCommand, MediaEvent, StreamId } from './protocol.ts';
import { SentPage, type Speaker } from './sent-page.ts';
import { readSound } from './sound-file.ts';

/** The last packets of a page come back to whoever also hears its group, at most so long after its end. Milliseconds. */
const COMES_BACK_MS = 500;

export interface SentPagesOptions {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  network: MulticastNetwork;
  files: Files;
  codecs: Codecs;
  opus: Opus | undefined;
  rate: number;
  cname: string;
  /** Of this device among Polycom telephones, 32 bits; absent: another at each start. */
  serial: number | undefined;
  gong: Cadence;
  /** Somebody talks on the groups of this zone: two at once would be heard as neither. */
  talkerAt(zone: PageZone): string | undefined;
  /** What whoever speaks hears beside: the gong tells him when. */
  playerOf(from: 'microphone' | { stream: StreamId }): Player | undefined;
  emit(event: MediaEvent): void;
}

type Asked = Extract<MediaCommand, { do: 'page' }>;

export class SentPages {
  readonly #options: SentPagesOptions;
  /** Zone → the page to it. */
  readonly #pages = new Map<string, SentPage>();
  /** Zones whose file is being read. */
  readonly #loading = new Map<string, Asked>();
  /** Those that ended last, whose packets may still come back. */
  readonly #over: { port: number | undefined; id: number | undefined; untilMs: number }[] = [];
  readonly #silence: Int16Array;
  /** Of this device among Polycom telephones. */
  readonly #serial: number;

  constructor(options: SentPagesOptions) {
    this.#options = options;
    this.#silence = new Int16Array(frameSamples(options.rate));
    this.#serial = options.serial ?? options.random.uint32();
  }

  /** The microphone is being heard elsewhere. */
  get useMicrophone(): boolean {
    if (this.#pages.size === 0) return false;
    for (const page of this.#pages.values()) if (page.usesMicrophone) return true;
    return false;
  }

  /** Its own packet, come back: perhaps after its end. */
  isOurs(port: number, id: number): boolean {
    for (const page of this.#pages.values()) if (page.port === port && page.id === id) return true;
    return this.#over.some(page => page.port === port && page.id === id && this.#options.clock.now() < page.untilMs);
  }

  ask(asked: Asked) {
    const { zone, from, caller } = asked;
    const why = this.#refusal(zone);
    if (why !== undefined) return this.#ended(zone.name, why);
    if (from === 'microphone') return this.#begin(zone, { is: 'microphone' }, caller);
    if ('stream' in from) return this.#begin(zone, { is: 'stream', stream: from.stream }, caller);
    const { files, opus } = this.#options;
    this.#loading.set(zone.name, asked);
    readSound(files, from.file, opus, sound => {
      // Ended meanwhile: that has been told. Another may be asked for already.
      const isWanted = this.#loading.get(zone.name) === asked;
      if (isWanted) this.#loading.delete(zone.name);
      if (!('why' in sound)) {
        if (isWanted) this.#begin(zone, { is: 'file', wav: sound }, caller);
        else sound.close?.();
      } else if (isWanted) this.#ended(zone.name, sound.why);
    });
  }

  #refusal(zone: PageZone): string | undefined {
    if (this.#pages.has(zone.name) || this.#loading.has(zone.name)) return 'it is being paged already';
    if (this.#pages.size + this.#loading.size >= MAX_SENT_PAGES)
      return `${MAX_SENT_PAGES} zones are being paged, which is the limit`;
    const talker = this.#options.talkerAt(zone);
    return talker && `${talker} is paging it`;
  }

  #begin(zone: PageZone, speaker: Speaker, caller: string) {
    const { gong, emit } = this.#options;
    try {
      const page = new SentPage({
        ...this.#options,
        zone,
        speaker,
        caller,
        serial: this.#serial,
        gong: zone.gong ? gong : undefined,
        onStarted: () => {
          if (zone.gong) this.#cue(speaker);
          emit({ is: 'paged', zone: zone.name, state: 'started', packets: 0, forMs: 0 });
        },
        onEnded: ({ packets, forMs, unsent, port, id }, why) => {
          this.#pages.delete(zone.name);
          this.#over.push({ port, id, untilMs: this.#options.clock.now() + COMES_BACK_MS });
          if (this.#over.length > MAX_SENT_PAGES) this.#over.shift();
          this.#ended(
            zone.name,
            why ?? (unsent > 0 ? `${unsent} packets found no way out` : undefined),
            packets,
            forMs,
          );
        },
      });
      this.#pages.set(zone.name, page);
      page.start();
    } catch (error) {
      if (speaker.is === 'file') speaker.wav.close?.();
      this.#ended(zone.name, error instanceof Error ? error.message : String(error));
    }
  }

  #cue(speaker: Speaker) {
    if (speaker.is === 'file') return;
    this.#options.playerOf(speaker.is === 'microphone' ? 'microphone' : speaker)?.tone(this.#options.gong);
  }

  #ended(zone: string, why: string | undefined, packets = 0, forMs = 0) {
    this.#options.emit({ is: 'paged', zone, state: 'ended', packets, forMs, ...(why !== undefined && { why }) });
  }

  end(zone: string) {
    if (this.#loading.delete(zone)) return this.#ended(zone, undefined);
    this.#pages.get(zone)?.stop();
  }

  /** The call is over, and what was said in it. */
  streamClosed(stream: StreamId) {
    for (const { speaker, zone } of [...this.#pages.values()])
      if (speaker.is === 'stream' && speaker.stream === stream) this.end(zone.name);
  }

  /** At every frame. `voiceOf`: what a stream has said in this one. */
  frame(microphone: Int16Array, voiceOf: (stream: StreamId) => Int16Array | undefined) {
    if (this.#pages.size === 0) return;
    const nowMs = this.#options.clock.now();
    for (const page of this.#pages.values()) {
      const { speaker } = page;
      const sound =
        speaker.is === 'microphone' ? microphone : speaker.is === 'stream' ? voiceOf(speaker.stream) : undefined;
      page.frame(sound ?? this.#silence, nowMs);
    }
  }

  chains(): Chain[] {
    return [...this.#pages.values()].map(page => page.chain());
  }

  stop() {
    const why = 'the sound was stopped';
    for (const zone of this.#loading.keys()) this.#ended(zone, why);
    this.#loading.clear();
    for (const [zone, page] of this.#pages) {
      page.close();
      this.#ended(zone, why, page.packets, page.forMs);
    }
    this.#pages.clear();
  }
}
