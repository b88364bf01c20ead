/** Loudness in decibels, changed without a click, and sounds added without wrapping. */
import { saturate } from './frame.ts';

/** A change of loudness takes so long. */
const RAMP_MS = 30;
/** As good as off. */
export const SILENT_DB = -90;

const clipped = (value: number) => (value > 32_767 ? 32_767 : Math.max(value, -32_768));
const factorOf = (db: number) => (db <= SILENT_DB ? 0 : 10 ** (db / 20));

export class Gain {
  readonly #rampSamples: number;
  #db: number;
  #target: number;
  #factor: number;
  #step = 0;

  constructor(rate: number, db: number) {
    this.#rampSamples = (rate * RAMP_MS) / 1000;
    this.#db = db;
    this.#target = this.#factor = factorOf(db);
  }

  get db(): number {
    return this.#db;
  }

  /** No change is under way. */
  get isSteady(): boolean {
    return this.#factor === this.#target;
  }

  set(db: number) {
    this.#db = db;
    this.#target = factorOf(db);
    this.#step = (this.#target - this.#factor) / this.#rampSamples;
  }

  /** From `input` (a sum of sounds may exceed 16 bits) into `output`, which may be the same array. */
  apply(input: Int16Array | Int32Array, output: Int16Array) {
    if (this.#factor === 1 && this.#target === 1) {
      for (let index = 0; index < output.length; index++) output[index] = clipped(input[index]!);
      return;
    }
    for (let index = 0; index < output.length; index++) {
      if (this.#factor !== this.#target) this.#approach();
      output[index] = saturate(input[index]! * this.#factor);
    }
  }

  /** In place, a sum that may exceed 16 bits before and after. */
  scale(sum: Int32Array) {
    if (this.#factor === 1 && this.#target === 1) return;
    for (let index = 0; index < sum.length; index++) {
      if (this.#factor !== this.#target) this.#approach();
      sum[index] = Math.round(sum[index]! * this.#factor);
    }
  }

  #approach() {
    this.#factor += this.#step;
    if (this.#step > 0 ? this.#factor >= this.#target : this.#factor <= this.#target) this.#factor = this.#target;
  }
}
