/** One page that this device sends to a zone: gong, then the microphone, a call or a file, packed as the zone wants it. */
import { isIPv6 } from 'node:net';
import type { Cadence } from '../audio/cadence.ts';
import type { Chain } from '../audio/graph.ts';
import type { Wav } from '../audio/wav.ts';
import type { WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { PageZone } from '../paging/zones.ts';
import { RtpSession } from '../rtp/session.ts';
import { type Codecs, clockRateOf } from './codecs.ts';
import { Mouth } from './mouth.ts';
import type { GroupSender, MulticastNetwork } from './network.ts';
import { type Wrapping, wrappingOf } from './page-wrapping.ts';
import { Sending } from './sending.ts';
import { type Event, type State, sentPage } from './sent-page-states.ts';

/**
 * Sender reports come this often, oftener than RFC 3550 §6.2 has it: who joins late plays with the others after at most
 * so long. Milliseconds.
 */
const REPORT_EVERY_MS = 1_000;

/** Whose sound it is; `wav`: that of a file, and the page ends with it. */
export type Speaker = { is: 'microphone' } | { is: 'stream'; stream: string } | { is: 'file'; wav: Wav };

export interface SentPageOptions {
  zone: PageZone;
  speaker: Speaker;
  caller: string;
  serial: number;
  cname: string;
  /** What it begins with; undefined: nothing. */
  gong: Cadence | undefined;
  codecs: Codecs;
  network: MulticastNetwork;
  random: Random;
  wallClock: WallClock;
  rate: number;
  /** The gong is struck, or the first word heard, in this frame. */
  onStarted(): void;
  /** Nothing comes of it any more. `why`: something went wrong, or it was too long. */
  onEnded(page: SentPage, why: string | undefined): void;
}

export class SentPage {
  readonly speaker: Speaker;
  readonly #options: SentPageOptions;
  readonly #session: RtpSession;
  readonly #mouth: Mouth;
  readonly #sending: Sending;
  #state: State = 'opening';
  #sender: GroupSender | undefined;
  #wrapping: Wrapping | undefined;
  /** Frames since the state was entered. */
  #frames = 0;
  #startedMs: number | undefined;
  #nowMs = 0;
  #why: string | undefined;
  #isOver = false;
  #packets = 0;
  /** The player has the file, and gives it back. */
  #reads = false;

  /** Throws where the codec cannot be had. */
  constructor(options: SentPageOptions) {
    const { zone, speaker, codecs, rate, cname, random, wallClock } = options;
    this.#options = options;
    this.speaker = speaker;
    this.#session = new RtpSession({
      cname,
      clockRate: clockRateOf(zone.codec.name),
      random,
      wallClock,
      reportEveryMs: REPORT_EVERY_MS,
    });
    this.#mouth = new Mouth(rate, (_id, why) => this.stop(why));
    this.#sending = new Sending({
      codec: zone.codec,
      codecs,
      session: this.#session,
      rate,
      send: (packet, length) => {
        this.#packets++;
        this.#wrapping?.sound(packet, length);
      },
      onKeysSent: () => {},
    });
  }

  start() {
    const { zone, network, caller, serial } = this.#options;
    const { ttl, dscp } = zone;
    network.openSender({ family: isIPv6(zone.host) ? 6 : 4, ttl, dscp }, sender => {
      if ('why' in sender) {
        this.#why = sender.why;
        return this.#handle('failed');
      }
      if (this.#state !== 'opening') return sender.close();
      this.#sender = sender;
      this.#wrapping = wrappingOf({ zone, sender, session: this.#session, caller, serial });
      this.#handle('opened');
    });
  }

  get zone(): PageZone {
    return this.#options.zone;
  }

  get packets(): number {
    return this.#packets;
  }

  get unsent(): number {
    return this.#sender?.unsent ?? 0;
  }

  /** Since the gong. */
  get forMs(): number {
    return this.#startedMs === undefined ? 0 : Math.round(this.#nowMs - this.#startedMs);
  }

  /** The microphone is heard in it, or will be. */
  get usesMicrophone(): boolean {
    return this.speaker.is === 'microphone' && this.#state !== 'leaving';
  }

  /** By which its own packets are known when they come back: where they come from, and whose they are. */
  get port(): number | undefined {
    return this.#sender?.port;
  }

  get id(): number | undefined {
    return this.#wrapping?.id;
  }

  /** `why`: it was not meant to end now. */
  stop(why?: string) {
    if (this.#state !== 'leaving' && !this.#isOver) this.#why ??= why;
    this.#handle('stop');
  }

  /** One frame of whoever speaks; undefined where there is none. */
  frame(sound: Int16Array, nowMs: number) {
    this.#nowMs = nowMs;
    const frame = this.#frames++;
    switch (this.#state) {
      case 'announcing':
        if (this.#wrapping!.announced(frame)) this.#handle('announced');
        break;
      case 'gong':
        if (!this.#mouth.player.playing) this.#handle('gong over');
        this.#speak(sound, nowMs);
        break;
      case 'speaking':
        this.#speak(sound, nowMs);
        break;
      case 'leaving':
        if (this.#wrapping!.left(frame, nowMs)) this.#handle('left');
        break;
    }
  }

  #speak(sound: Int16Array, nowMs: number) {
    this.#sending.frame(this.#mouth.frame(sound), nowMs);
    this.#wrapping!.tick(nowMs);
    if (this.forMs >= this.#options.zone.longestMs) this.stop('its time was up');
  }

  #handle(event: Event) {
    const cell = sentPage[this.#state][event];
    if (cell === undefined) return;
    const [next, effect] = cell;
    this.#state = next;
    this.#frames = 0;
    const { gong, onStarted, onEnded } = this.#options;
    switch (effect) {
      case 'strike the gong':
        this.#startedMs = this.#nowMs;
        // Until somebody speaks on purpose, nobody is heard.
        this.#mouth.alone = this.speaker.is === 'file';
        if (gong !== undefined) this.#mouth.player.tone(gong);
        onStarted();
        break;
      case 'speak':
        if (this.speaker.is !== 'file') break;
        this.#reads = true;
        this.#mouth.player.file(this.speaker.wav, 'page');
        break;
      case 'finish':
        // Letting the player go tells of its end once more, which is no reason of ours.
        this.#isOver = true;
        this.#let();
        onEnded(this, this.#why);
        break;
      case undefined:
        break;
    }
  }

  /** Everything is given back, and receivers are told at once where they can be. */
  close() {
    if (this.#state === 'ended') return;
    if (this.#wrapping !== undefined) for (let frame = 0; !this.#wrapping.left(frame, this.#nowMs); frame++);
    this.#state = 'ended';
    this.#let();
  }

  #let() {
    const { speaker } = this;
    this.#mouth.player.close('the page is over');
    if (speaker.is === 'file' && !this.#reads) speaker.wav.close?.();
    this.#sending.close();
    this.#sender?.close();
  }

  chain(): Chain {
    const { zone } = this.#options;
    const { speaker } = this;
    const who = speaker.is === 'stream' ? `call ${speaker.stream}` : this.#mouth.describe();
    return [
      { name: who },
      { name: 'encode', detail: () => this.#sending.describe() },
      { name: `page ${zone.name}`, detail: () => `${zone.format} ${zone.host} ${zone.port}` },
    ];
  }
}
