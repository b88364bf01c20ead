/** Adds sounds of one rate: sums in 32 bits, so that only the last step into the loudspeaker can clip. */

export class Mixer {
  readonly #sum: Int32Array;
  #sources = 0;

  constructor(frameSamples: number) {
    this.#sum = new Int32Array(frameSamples);
  }

  clear() {
    if (this.#sources > 0) this.#sum.fill(0);
    this.#sources = 0;
  }

  add(frame: Int16Array) {
    const sum = this.#sum;
    for (let index = 0; index < sum.length; index++) sum[index]! += frame[index]!;
    this.#sources++;
  }

  /** The sum so far. It belongs to the mixer. */
  get sum(): Int32Array {
    return this.#sum;
  }
}
