/** Joins two sounds that do not fit together, without a click: what was heard goes on for a moment beneath what comes. */

import { softEdge } from './soft-edge.ts';

/** As short as 200 Hz: longer would be heard as two voices. */
const SEAM_MS = 5;

export class Seam {
  static readonly MS = SEAM_MS;
  /** The old sound as it would have gone on. */
  readonly #tail: Int16Array;
  #length = 0;
  #at = 0;

  /** Samples per second. */
  constructor(rate: number) {
    this.#tail = new Int16Array(Math.ceil((rate * SEAM_MS) / 1000) + 1);
  }

  /** `count` samples of what was heard as it would have gone on, of about `Seam.MS`. */
  begin(tail: Int16Array, count: number) {
    this.#length = Math.min(count, this.#tail.length);
    for (let index = 0; index < this.#length; index++) this.#tail[index] = tail[index]!;
    this.#at = 0;
  }

  /** Blends the start of what comes with the tail, in place; nothing where none has begun. */
  close(samples: Int16Array, count: number) {
    for (let index = 0; index < count && this.#at < this.#length; index++, this.#at++) {
      const share = softEdge((this.#at + 1) / (this.#length + 1));
      samples[index] = Math.round(samples[index]! * share + this.#tail[this.#at]! * (1 - share));
    }
  }

  forget() {
    this.#length = 0;
  }
}
