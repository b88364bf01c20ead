/** The fast Fourier transform of one power of two: of complex numbers in place, and of real ones at half the work. */

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

/** Real samples to the lower half of their spectrum, which says all, and back. */
export class RealFft {
  /** Of the samples; the spectrum has half as many lines and one more. */
  readonly size: number;
  readonly #half: Fft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(size: number) {
    this.size = size;
    const half = size / 2;
    this.#half = new Fft(half);
    [this.#re, this.#im] = [new Float64Array(half), new Float64Array(half)];
    this.#cos = Float64Array.from({ length: half + 1 }, (_, at) => Math.cos((2 * Math.PI * at) / size));
    this.#sin = Float64Array.from({ length: half + 1 }, (_, at) => Math.sin((2 * Math.PI * at) / size));
  }

  forward(samples: Float64Array, re: Float64Array, im: Float64Array) {
    const half = this.size / 2;
    const zr = this.#re;
    const zi = this.#im;
    for (let at = 0; at < half; at++) {
      zr[at] = samples[2 * at]!;
      zi[at] = samples[2 * at + 1]!;
    }
    this.#half.forward(zr, zi);
    for (let line = 0; line <= half / 2; line++) {
      const other = half - line;
      const at = other === half ? 0 : other;
      // The even samples' spectrum and the odd ones'.
      const er = (zr[line]! + zr[at]!) / 2;
      const ei = (zi[line]! - zi[at]!) / 2;
      const or = (zi[line]! + zi[at]!) / 2;
      const oi = (zr[at]! - zr[line]!) / 2;
      const c = this.#cos[line]!;
      const s = this.#sin[line]!;
      const tr = or * c + oi * s;
      const ti = oi * c - or * s;
      re[line] = er + tr;
      im[line] = ei + ti;
      re[other] = er - tr;
      im[other] = ti - ei;
    }
  }

  /** Undoes `forward`. */
  inverse(re: Float64Array, im: Float64Array, samples: Float64Array) {
    const half = this.size / 2;
    const zr = this.#re;
    const zi = this.#im;
    for (let line = 0; line <= half / 2; line++) {
      const other = half - line;
      const er = (re[line]! + re[other]!) / 2;
      const ei = (im[line]! - im[other]!) / 2;
      const tr = (re[line]! - re[other]!) / 2;
      const ti = (im[line]! + im[other]!) / 2;
      const c = this.#cos[line]!;
      const s = this.#sin[line]!;
      const or = tr * c - ti * s;
      const oi = ti * c + tr * s;
      zr[line] = er - oi;
      zi[line] = ei + or;
      if (line === 0) continue;
      zr[other] = er + oi;
      zi[other] = or - ei;
    }
    this.#half.inverse(zr, zi);
    for (let at = 0; at < half; at++) {
      samples[2 * at] = zr[at]!;
      samples[2 * at + 1] = zi[at]!;
    }
  }
}
