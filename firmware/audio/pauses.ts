/** Tells the pauses of a voice, packet by packet: what is much softer than the voice was of late. A steady sound has none. */
import { rms } from './frame.ts';

/** A pause is softer than the voice by this factor. 18 dB. */
const SOFTER = 8;
/** How fast a loud moment is forgotten, as a share for each packet: half of it in seven seconds of 20 ms packets. */
const FORGET = 0.002;

export class Pauses {
  #loudest = 0;

  /** Takes the first `count` samples, the next packet. */
  isPause(samples: Int16Array, count: number): boolean {
    const level = rms(samples, 0, count);
    this.#loudest = Math.max(level, this.#loudest * (1 - FORGET));
    return level * SOFTER < this.#loudest;
  }
}
