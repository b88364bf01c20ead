/** The fast Fourier transform, complex, in place, of one power of two. */

export class Fft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Uint32Array;

  constructor(size: number) {
    this.size = size;
    const half = size / 2;
    this.#cos = Float64Array.from({ length: half }, (_, at) => Math.cos((2 * Math.PI * at) / size));
    this.#sin = Float64Array.from({ length: half }, (_, at) => Math.sin((2 * Math.PI * at) / size));
    const bits = Math.log2(size);
    this.#reversed = Uint32Array.from({ length: size }, (_, at) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) if (at & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
      return reversed;
    });
  }

  forward(re: Float64Array, im: Float64Array) {
    const { size } = this;
    const cos = this.#cos;
    const sin = this.#sin;
    const reversed = this.#reversed;
    for (let at = 0; at < size; at++) {
      const other = reversed[at]!;
      if (other <= at) continue;
      const r = re[at]!;
      const i = im[at]!;
      re[at] = re[other]!;
      im[at] = im[other]!;
      re[other] = r;
      im[other] = i;
    }
    for (let length = 2; length <= size; length *= 2) {
      const half = length / 2;
      const step = size / length;
      for (let start = 0; start < size; start += length) {
        for (let at = start, turn = 0; at < start + half; at++, turn += step) {
          const c = cos[turn]!;
          const s = sin[turn]!;
          const r = re[at + half]! * c + im[at + half]! * s;
          const i = im[at + half]! * c - re[at + half]! * s;
          re[at + half] = re[at]! - r;
          im[at + half] = im[at]! - i;
          re[at]! += r;
          im[at]! += i;
        }
      }
    }
  }

  /** Divided by the size, so that it undoes `forward`. */
  inverse(re: Float64Array, im: Float64Array) {
    this.forward(im, re);
    const { size } = this;
    for (let at = 0; at < size; at++) {
      re[at]! /= size;
      im[at]! /= size;
    }
  }
}
