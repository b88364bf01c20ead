/**
 * One sub-band of G.722: adaptive quantiser step and adaptive predictor, the same in encoder and decoder (ITU-T G.722
 * §3.5, §3.6; the names of blocks are those of its §6.2). Integer arithmetic throughout: two ends that differ by one bit
 * drift apart.
 */

/** G.722 Table 14/2^: the fractional part of the step size, by its logarithm. */
const ILB = Int32Array.of(
  2048,
  2093,
  2139,
  2186,
  2233,
  2282,
  2332,
  2383,
  2435,
  2489,
  2543,
  2599,
  2656,
  2714,
  2774,
  2834,
  2896,
  2960,
  3025,
  3091,
  3158,
  3228,
  3298,
  3371,
  3444,
  3520,
  3597,
  3676,
  3756,
  3838,
  3922,
  4008,
);

/** The step's logarithm forgets with this factor of 128. */
const LEAK = 127;
const ZEROS = 6;

export interface BandSpec {
  /** The first step. */
  step: number;
  /** The largest logarithm of the step. */
  largest: number;
  /** SCALEL, SCALEH: how the logarithm becomes a step. */
  shift: 8 | 10;
  /** Where in a byte its code stands, and how long it is. */
  at: 0 | 6;
  mask: 63 | 3;
  /** QUANTL, QUANTH: the code of an error. */
  quantise(error: number, step: number): number;
  /** What a code means to the ear. */
  meaning: Int32Array;
  /** The lowest bits of a code, which the predictor does not see. */
  fine: 2 | 0;
  /** By the rest of the code: what it means to the predictor, and how much the step's logarithm grows. */
  difference: Int32Array;
  growth: Int32Array;
}

export const saturate = (value: number) => (value > 32_767 ? 32_767 : Math.max(value, -32_768));

/** LIMIT: 15 bits. */
const limit = (value: number) => (value > 16_383 ? 16_383 : Math.max(value, -16_384));

/** No product here needs more than 32 bits, which the compiler cannot know of `*`. */
const { imul } = Math;

export class Band {
  readonly #spec: BandSpec;
  /** DETL, DETH: the quantiser's step. */
  #step: number;
  /** SL, SH: what the next sample is expected to be. */
  #expected = 0;
  /** NBL, NBH: the step's logarithm. */
  #logarithm = 0;
  /** SZ: the part of the expectation that comes from past differences. */
  #fromDifferences = 0;
  /** The last two reconstructed samples, doubled and saturated; the signs of partial reconstructions; the newest first. */
  #sample0 = 0;
  #sample1 = 0;
  #sign0 = 0;
  #sign1 = 0;
  #pole0 = 0;
  #pole1 = 0;
  /** The last six quantised differences, doubled and saturated, the newest first, and their weights. */
  readonly #doubled = new Int32Array(ZEROS);
  readonly #zeros = new Int32Array(ZEROS);

  constructor(spec: BandSpec) {
    this.#spec = spec;
    this.#step = spec.step;
  }

  /** From the first `count` of `samples` to its bits of the bytes from `first` on. */
  encode(samples: Int32Array, count: number, codes: Uint8Array, first: number) {
    this.#run(true, samples, count, codes, first);
  }

  /** INVQBL and RECONS: the samples that the bytes from `first` on mean. */
  decode(codes: Uint8Array, first: number, count: number, samples: Int32Array) {
    this.#run(false, samples, count, codes, first);
  }

  /** Many samples at once, so that all that is remembered of them stays in the processor meanwhile. */
  #run(encodes: boolean, samples: Int32Array, count: number, codes: Uint8Array, first: number) {
    const { shift, largest, at, mask, meaning, fine, difference: differences, growth } = this.#spec;
    const doubled = this.#doubled;
    const zeros = this.#zeros;
    let step = this.#step;
    let expected = this.#expected;
    let logarithm = this.#logarithm;
    let fromDifferences = this.#fromDifferences;
    let sample0 = this.#sample0;
    let sample1 = this.#sample1;
    let sign0 = this.#sign0;
    let sign1 = this.#sign1;
    let pole0 = this.#pole0;
    let pole1 = this.#pole1;
    let d0 = doubled[0]!;
    let d1 = doubled[1]!;
    let d2 = doubled[2]!;
    let d3 = doubled[3]!;
    let d4 = doubled[4]!;
    let d5 = doubled[5]!;
    let z0 = zeros[0]!;
    let z1 = zeros[1]!;
    let z2 = zeros[2]!;
    let z3 = zeros[3]!;
    let z4 = zeros[4]!;
    let z5 = zeros[5]!;
    for (let index = 0; index < count; index++) {
      let code: number;
      if (encodes) {
        code = this.#spec.quantise(saturate(samples[index]! - expected), step);
        codes[first + index] = (codes[first + index]! & ~(mask << at)) | (code << at);
      } else {
        code = (codes[first + index]! >> at) & mask;
        samples[index] = limit(expected + (imul(step, meaning[code]!) >> 15));
      }
      const coarse = code >> fine;
      const difference = imul(step, differences[coarse]!) >> 15;

      // LOGSCL, SCALEL and their counterparts.
      const wanted = (imul(logarithm, LEAK) >> 7) + growth[coarse]!;
      logarithm = wanted < 0 ? 0 : Math.min(wanted, largest);
      const fraction = ILB[(logarithm >> 6) & 31]!;
      const exponent = shift - (logarithm >> 11);
      step = (exponent < 0 ? fraction << -exponent : fraction >> exponent) << 2;

      // RECONS, PARREC.
      const sample = saturate(expected + difference);
      const sign = saturate(fromDifferences + difference) >> 15;

      // UPPOL2. Masks in place of branches: signs are chance, and half of all guesses at them would be wrong.
      const unlike0 = sign ^ sign0;
      const unlike1 = sign ^ sign1;
      const four = saturate(pole0 << 2);
      const against = four === -32_768 ? 32_767 : -four;
      const pull = (four & unlike0) | (against & ~unlike0);
      const wanted1 = (128 ^ unlike1) - unlike1 + (pull >> 7) + (imul(pole1, 32_512) >> 15);
      pole1 = wanted1 > 12_288 ? 12_288 : Math.max(wanted1, -12_288);
      // UPPOL1.
      const bound = 15_360 - pole1;
      const wanted0 = (192 ^ unlike0) - unlike0 + (imul(pole0, 32_640) >> 15);
      pole0 = wanted0 > bound ? bound : Math.max(wanted0, -bound);

      // UPZERO. The weights stay in 16 bits by themselves: 32,767 × 32,640 / 32,768 + 128 is no more.
      const nudge = difference === 0 ? 0 : 128;
      z0 = weight(z0, nudge, (d0 ^ difference) >> 31);
      z1 = weight(z1, nudge, (d1 ^ difference) >> 31);
      z2 = weight(z2, nudge, (d2 ^ difference) >> 31);
      z3 = weight(z3, nudge, (d3 ^ difference) >> 31);
      z4 = weight(z4, nudge, (d4 ^ difference) >> 31);
      z5 = weight(z5, nudge, (d5 ^ difference) >> 31);
      // DELAYA, FILTEZ.
      d5 = d4;
      d4 = d3;
      d3 = d2;
      d2 = d1;
      d1 = d0;
      d0 = saturate(2 * difference);
      const sum =
        (imul(z0, d0) >> 15) +
        (imul(z1, d1) >> 15) +
        (imul(z2, d2) >> 15) +
        (imul(z3, d3) >> 15) +
        (imul(z4, d4) >> 15) +
        (imul(z5, d5) >> 15);

      // FILTEP, PREDIC.
      sample1 = sample0;
      sample0 = saturate(2 * sample);
      sign1 = sign0;
      sign0 = sign;
      const fromSamples = saturate((imul(pole0, sample0) >> 15) + (imul(pole1, sample1) >> 15));
      fromDifferences = saturate(sum);
      expected = saturate(fromSamples + fromDifferences);
    }
    this.#step = step;
    this.#expected = expected;
    this.#logarithm = logarithm;
    this.#fromDifferences = fromDifferences;
    this.#sample0 = sample0;
    this.#sample1 = sample1;
    this.#sign0 = sign0;
    this.#sign1 = sign1;
    this.#pole0 = pole0;
    this.#pole1 = pole1;
    doubled[0] = d0;
    doubled[1] = d1;
    doubled[2] = d2;
    doubled[3] = d3;
    doubled[4] = d4;
    doubled[5] = d5;
    zeros[0] = z0;
    zeros[1] = z1;
    zeros[2] = z2;
    zeros[3] = z3;
    zeros[4] = z4;
    zeros[5] = z5;
  }
}

/** `unlike`: −1 where this difference and the new one point to different sides, 0 where to the same. */
const weight = (before: number, nudge: number, unlike: number) =>
  (nudge ^ unlike) - unlike + (imul(before, 32_640) >> 15);
