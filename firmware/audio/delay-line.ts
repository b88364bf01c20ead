/** What the loudspeaker plays, remembered until the microphone hears it. */
import { FRAME_MS } from './frame.ts';

/** The longest way from the engine to the ear that can be bridged, milliseconds: a sound card's largest buffer and more. */
export const MAX_DELAY_MS = 1200;
/** Given so much early: a canceller bears sound that comes before its time, and none that comes after. */
const EARLY_MS = 4;
/** A change of the alignment makes a canceller learn anew: only for one of more than this, that has lasted so long. */
const TOLERATED_MS = 6;
const LASTED_FRAMES = 50;

export class DelayLine {
  readonly #samplesPerMs: number;
  readonly #ring: Int16Array;
  /** Next to be written. */
  #at = 0;
  #delayMs: number | undefined;
  #otherwise = 0;

  constructor(rate: number) {
    this.#samplesPerMs = rate / 1000;
    this.#ring = new Int16Array(this.#samplesPerMs * (MAX_DELAY_MS + 2 * FRAME_MS));
  }

  /** The delay that is reckoned with, milliseconds. */
  get delayMs() {
    return this.#delayMs ?? 0;
  }

  write(frame: Int16Array) {
    const ring = this.#ring;
    const room = ring.length - this.#at;
    if (frame.length < room) ring.set(frame, this.#at);
    else for (let index = 0; index < frame.length; index++) ring[(this.#at + index) % ring.length] = frame[index]!;
    this.#at = (this.#at + frame.length) % ring.length;
  }

  /** What left the loudspeaker during the last frame, the card being `delayMs` behind its last `write`. */
  read(into: Int16Array, delayMs: number) {
    this.#follow(Math.min(MAX_DELAY_MS, Math.max(0, delayMs - EARLY_MS)));
    const ring = this.#ring;
    const behind = into.length + Math.round(this.delayMs * this.#samplesPerMs);
    let from = (this.#at - behind + ring.length) % ring.length;
    for (let index = 0; index < into.length; index++) {
      into[index] = ring[from]!;
      from = from + 1 === ring.length ? 0 : from + 1;
    }
  }

  #follow(delayMs: number) {
    if (this.#delayMs === undefined) this.#delayMs = delayMs;
    this.#otherwise = Math.abs(delayMs - this.#delayMs) > TOLERATED_MS ? this.#otherwise + 1 : 0;
    if (this.#otherwise < LASTED_FRAMES) return;
    this.#delayMs = delayMs;
    this.#otherwise = 0;
  }
}
