/** Tells the pauses of a voice, packet by packet: what is much softer than the voice was of late. A steady sound has none. */
import { rms } from './frame.ts';

/** A pause is softer than the voice by this factor. 18 dB. */
const SOFTER = 8;
/** What is shorter belongs to the word, or parts two keys that are heard as tones: milliseconds. */
const LEAST_MS = 60;
/** How fast a loud moment is forgotten, as a share for each packet: half of it in seven seconds of 20 ms packets. */
const FORGET = 0.002;

export class Pauses {
  #loudest = 0;
  #softMs = 0;

  /** Takes the first `count` samples, the next packet, `ms` long. */
  isPause(samples: Int16Array, count: number, ms: number): boolean {
    const level = rms(samples, 0, count);
    this.#loudest = Math.max(level, this.#loudest * (1 - FORGET));
    const wasSoftMs = this.#softMs;
    this.#softMs = level * SOFTER < this.#loudest ? wasSoftMs + ms : 0;
    return this.#softMs > 0 && wasSoftMs >= LEAST_MS;
  }
}
