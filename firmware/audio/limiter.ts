/** Keeps loud sums below full scale by lowering them in time, where clipping would rattle. Adds no delay. */
import { FRAME_MS, saturate } from './frame.ts';

/** The loudest sample that leaves: 1 dB below full scale. */
export const CEILING = 29_204;
/** Lowered within this at least; a peak that comes sooner is cut. Milliseconds. */
const ATTACK_MS = 1;
/** Back up within about this. Milliseconds. */
const RELEASE_MS = 150;

export class Limiter {
  readonly #attack: number;
  #factor = 1;

  constructor(rate: number) {
    this.#attack = (rate * ATTACK_MS) / 1000;
  }

  /** 1 where nothing is lowered. */
  get factor() {
    return this.#factor;
  }

  /** A frame of 10 ms from a sum that may exceed 16 bits, into `output`, which may be the same array. */
  apply(input: Int32Array | Int16Array, output: Int16Array) {
    const target = this.#target(input);
    if (target === 1 && this.#factor === 1) {
      for (let index = 0; index < output.length; index++) output[index] = input[index]!;
      return;
    }
    // Down until just before the first sample that is too loud; up over the whole frame.
    const ramp = target < this.#factor ? Math.max(this.#attack, this.#firstPeak(input)) : output.length;
    const step = (target - this.#factor) / Math.min(ramp, output.length);
    let factor = this.#factor;
    for (let index = 0; index < output.length; index++) {
      if (index < ramp) factor += step;
      const value = input[index]! * factor;
      output[index] = saturate(Math.max(-CEILING, Math.min(CEILING, value)));
    }
    this.#factor = target;
  }

  #target(input: Int32Array | Int16Array): number {
    let peak = 0;
    for (let index = 0; index < input.length; index++) {
      const size = Math.abs(input[index]!);
      if (size > peak) peak = size;
    }
    const least = peak > CEILING ? CEILING / peak : 1;
    const released = this.#factor + (1 - this.#factor) * (FRAME_MS / RELEASE_MS);
    return Math.min(least, released > 0.999 ? 1 : released);
  }

  #firstPeak(input: Int32Array | Int16Array): number {
    const tooLoud = CEILING / this.#factor;
    for (let index = 0; index < input.length; index++) if (Math.abs(input[index]!) > tooLoud) return index;
    return input.length;
  }
}
