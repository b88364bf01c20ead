/** Adds sounds of one rate: sums in 32 bits, so that only the last step into the loudspeaker can clip. */
import { saturate } from './frame.ts';

/** Adds `frame` to `to`, clipping: for the rare sum that stays in 16 bits. */
export function add(frame: Int16Array, to: Int16Array) {
  for (let index = 0; index < to.length; index++) to[index] = saturate(to[index]! + frame[index]!);
}

export class Mixer {
  readonly #sum: Int32Array;

  constructor(frameSamples: number) {
    this.#sum = new Int32Array(frameSamples);
  }

  clear() {
    this.#sum.fill(0);
  }

  add(frame: Int16Array) {
    const sum = this.#sum;
    for (let index = 0; index < sum.length; index++) sum[index]! += frame[index]!;
  }

  /** The sum so far. It belongs to the mixer. */
  get sum(): Int32Array {
    return this.#sum;
  }
}
