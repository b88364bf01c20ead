/** The sound of one group: from its packets to the loudspeaker, as loud as the arbiter lets it be. */

import type { Cadence } from '../audio/cadence.ts';
import { frameSamples } from '../audio/frame.ts';
import { Gain, SILENT_DB } from '../audio/gain.ts';
import type { Chain } from '../audio/graph.ts';
import { add } from '../audio/mixer.ts';
import type { Loudness } from '../paging/arbiter.ts';
import type { PageGroup } from '../paging/groups.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import type { Codecs } from './codecs.ts';
import { PagePlayout } from './page-playout.ts';
import { Player } from './player.ts';
import type { CodecChoice } from './protocol.ts';
import { Receiving } from './receiving.ts';

/** Under another sound: there, and in nobody's way. */
export const DUCKED_DB = -20;
/** What has been silenced is read on for so long, until its gain is down. Frames. */
const FADE_FRAMES = 4;

/** Payload types that need no agreement (RFC 3551 table 4). */
const STATIC: readonly CodecChoice[] = [
  { name: 'PCMU', payloadType: 0, ptimeMs: 20 },
  { name: 'PCMA', payloadType: 8, ptimeMs: 20 },
  { name: 'G722', payloadType: 9, ptimeMs: 20 },
];
/** These too, where the group has that rate: each costs a buffer. */
const STATIC_L16: readonly CodecChoice[] = [
  { name: 'L16/44100/2', payloadType: 10, ptimeMs: 20 },
  { name: 'L16/44100', payloadType: 11, ptimeMs: 20 },
];
/** Of the dynamic payload types (RFC 3551 §3) a group has one codec, whatever its number. */
const DYNAMIC = 96;

export interface PageSoundOptions {
  dynamicCodec: PageGroup['dynamicCodec'];
  codecs: Codecs;
  rate: number;
  jitter: { minMs: number; maxMs: number };
  /** All speakers play it so long after it was sent. 0: each as soon as its network lets it. */
  delayMs: number;
}

export class PageSound {
  /** Why its own codec cannot be had. */
  readonly lacks: string | undefined;
  readonly #receiving: Receiving;
  readonly #playout: PagePlayout | undefined;
  readonly #gain: Gain;
  readonly #gong: Player;
  readonly #gongFrame: Int16Array;
  /** It sounds with the page's own sound. */
  #gongWaits = false;
  #loudness: Loudness = 'silent';
  /** Frames to read though it is to be silent. */
  #fading = 0;
  /** After the end, what is in the buffer still comes out until then. */
  #drainUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ dynamicCodec, codecs, rate, jitter, delayMs }: PageSoundOptions) {
    let choices = STATIC;
    if (dynamicCodec !== undefined) {
      try {
        codecs.decoder(dynamicCodec).close();
        choices = [...STATIC, { name: dynamicCodec, payloadType: DYNAMIC, ptimeMs: 20 }];
        if (dynamicCodec.startsWith('L16/44100')) choices = [...choices, ...STATIC_L16];
      } catch (error) {
        this.lacks = error instanceof Error ? error.message : String(error);
      }
    }
    const playout = delayMs === 0 ? undefined : new PagePlayout(rate, delayMs, sound => this.#addGong(sound));
    const makeBuffer = playout && ((clockRate: number) => playout.makeBuffer(clockRate));
    this.#receiving = new Receiving({ choices, codecs, rate, jitter, makeBuffer });
    playout?.use(this.#receiving);
    this.#playout = playout;
    this.#gain = new Gain(rate, SILENT_DB);
    this.#gong = new Player(rate, () => {});
    this.#gongFrame = new Int16Array(frameSamples(rate));
  }

  get loudness(): Loudness {
    return this.#loudness;
  }

  get latePackets(): number {
    return this.#receiving.latePackets;
  }

  get resyncs(): number {
    return this.#playout?.resyncs ?? 0;
  }

  get concealedFrames(): number {
    return this.#receiving.concealedFrames;
  }

  get badPayloads(): number {
    return this.#receiving.badPayloads;
  }

  get bufferMs(): number {
    return this.#receiving.bufferMs;
  }

  /** `db`: at full loudness. */
  set(loudness: Loudness, db: number) {
    if (loudness === 'silent') {
      if (this.#loudness !== 'silent') {
        this.#fading = FADE_FRAMES;
        // Nobody would hear the rest of its gong, and its end would wait for it.
        this.#gongWaits = false;
        this.#gong.close('silenced');
      }
      this.#gain.set(SILENT_DB);
    } else {
      // Heard from now on: what came before is past.
      if (this.#loudness === 'silent') this.#forget();
      this.#gain.set(loudness === 'low' ? db + DUCKED_DB : db);
      this.#fading = 0;
    }
    this.#loudness = loudness;
  }

  #forget() {
    // Its time is learned also while it is not heard.
    if (this.#playout) this.#playout.stop();
    else this.#receiving.reset();
  }

  /** Over the beginning of its sound, or at once where none has come yet. */
  gong(cadence: Cadence) {
    this.#gong.tone(cadence);
    this.#gongWaits = this.#playout !== undefined && !this.#playout.isEmpty;
  }

  #addGong(sound: Int16Array) {
    if (this.#gongWaits && this.#gong.read(this.#gongFrame)) add(this.#gongFrame, sound);
  }

  takes(payloadType: number): boolean {
    return this.#receiving.takes(Math.min(payloadType, DYNAMIC));
  }

  /** A page begins, or was perhaps on before it could be heard. */
  begin(isMissed: boolean) {
    this.#playout?.begin(isMissed);
  }

  /** A sender report: when `timestamp` was, or undefined where the wall clock here is not to be trusted. */
  reported(ssrc: number, timestamp: number, sentMs: number | undefined) {
    this.#playout?.reported(ssrc, timestamp, sentMs);
  }

  /** Of a payload type that it takes. */
  push(packet: RtpPacket, nowMs: number) {
    if (packet.payloadType > DYNAMIC) packet.payloadType = DYNAMIC;
    this.#drainUntilMs = Number.NEGATIVE_INFINITY;
    if (this.#playout !== undefined || this.#loudness !== 'silent') this.#receiving.push(packet, nowMs);
  }

  /** The page is over; what has come of it is still heard. */
  end(nowMs: number) {
    this.#drainUntilMs = nowMs + this.#receiving.bufferMs;
    // A gong without the page it was to begin would be waited for in vain.
    if (!this.#gongWaits || this.#playout!.isRunning) return;
    this.#gongWaits = false;
    this.#gong.stop('nothing of the page was heard');
  }

  /** True from `end` on, once all is out. */
  isOut(nowMs: number): boolean {
    return nowMs >= this.#drainUntilMs && !this.#gong.playing;
  }

  /** One frame, heard at `heardMs`; false when there is nothing to be heard, and `frame` is untouched. */
  read(frame: Int16Array, nowMs: number, heardMs: number): boolean {
    if (this.#loudness === 'silent') {
      if (this.#fading === 0) return false;
      this.#fading--;
    }
    if (this.#playout) this.#playout.read(frame, nowMs, heardMs);
    else this.#receiving.read(frame, nowMs);
    if (!this.#gongWaits && this.#gong.read(this.#gongFrame)) add(this.#gongFrame, frame);
    this.#gain.apply(frame, frame);
    return true;
  }

  chain(source: { name: string }): Chain {
    return [
      source,
      { name: 'buffer', detail: () => `${Math.round(this.bufferMs)} ms${this.#timing()}` },
      { name: 'decode', detail: () => this.#receiving.describe() },
      { name: 'gain', detail: () => `${Math.round(this.#gain.db)} dB` },
      { name: 'playback' },
    ];
  }

  #timing(): string {
    return this.#playout === undefined ? '' : `, together by ${this.#playout.follows}`;
  }

  close() {
    this.#receiving.close();
  }
}
