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
}

export const LOWER: BandSpec = { step: 32, largest: 18_432, shift: 8 };
export const HIGHER: BandSpec = { step: 8, largest: 22_528, shift: 10 };

export const saturate = (value: number) => (value > 32_767 ? 32_767 : Math.max(value, -32_768));

/** No product here needs more than 32 bits, which the compiler cannot know of `*`. */
const { imul } = Math;

export class Band {
  /** DETL, DETH: the quantiser's step. */
  step: number;
  /** SL, SH: what the next sample is expected to be. */
  expected = 0;
  readonly #largest: number;
  readonly #shift: number;
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

  constructor({ step, largest, shift }: BandSpec) {
    this.step = step;
    this.#largest = largest;
    this.#shift = shift;
  }

  /** Takes the quantised difference of one sample, and what its code adds to the step's logarithm. */
  adapt(difference: number, growth: number) {
    this.#rescale(growth);
    this.#predict(difference);
  }

  /** LOGSCL, SCALEL and their counterparts. */
  #rescale(growth: number) {
    const wanted = (imul(this.#logarithm, LEAK) >> 7) + growth;
    const logarithm = wanted < 0 ? 0 : Math.min(wanted, this.#largest);
    this.#logarithm = logarithm;
    const fraction = ILB[(logarithm >> 6) & 31]!;
    const exponent = this.#shift - (logarithm >> 11);
    this.step = (exponent < 0 ? fraction << -exponent : fraction >> exponent) << 2;
  }

  #predict(difference: number) {
    // RECONS, PARREC.
    const sample = saturate(this.expected + difference);
    const sign = saturate(this.#fromDifferences + difference) >> 15;

    // UPPOL2. Masks in place of branches: signs are chance, and half of all guesses at them would be wrong.
    const unlike0 = sign ^ this.#sign0;
    const unlike1 = sign ^ this.#sign1;
    const pole0 = this.#pole0;
    const four = saturate(pole0 << 2);
    const against = four === -32_768 ? 32_767 : -four;
    const pull = (four & unlike0) | (against & ~unlike0);
    const wanted1 = (128 ^ unlike1) - unlike1 + (pull >> 7) + (imul(this.#pole1, 32_512) >> 15);
    const pole1New = wanted1 > 12_288 ? 12_288 : Math.max(wanted1, -12_288);
    // UPPOL1.
    const bound = 15_360 - pole1New;
    const wanted0 = (192 ^ unlike0) - unlike0 + (imul(pole0, 32_640) >> 15);
    const pole0New = wanted0 > bound ? bound : Math.max(wanted0, -bound);

    // UPZERO, DELAYA, FILTEZ. The weights stay in 16 bits by themselves: 32,767 × 32,640 / 32,768 + 128 is no more.
    const nudge = difference === 0 ? 0 : 128;
    const zeros = this.#zeros;
    const doubled = this.#doubled;
    const d0 = doubled[0]!;
    const d1 = doubled[1]!;
    const d2 = doubled[2]!;
    const d3 = doubled[3]!;
    const d4 = doubled[4]!;
    const d5 = doubled[5]!;
    const newest = saturate(2 * difference);
    const z0 = weight(zeros[0]!, nudge, (d0 ^ difference) >> 31);
    const z1 = weight(zeros[1]!, nudge, (d1 ^ difference) >> 31);
    const z2 = weight(zeros[2]!, nudge, (d2 ^ difference) >> 31);
    const z3 = weight(zeros[3]!, nudge, (d3 ^ difference) >> 31);
    const z4 = weight(zeros[4]!, nudge, (d4 ^ difference) >> 31);
    const z5 = weight(zeros[5]!, nudge, (d5 ^ difference) >> 31);
    zeros[0] = z0;
    zeros[1] = z1;
    zeros[2] = z2;
    zeros[3] = z3;
    zeros[4] = z4;
    zeros[5] = z5;
    doubled[0] = newest;
    doubled[1] = d0;
    doubled[2] = d1;
    doubled[3] = d2;
    doubled[4] = d3;
    doubled[5] = d4;
    const sum =
      (imul(z0, newest) >> 15) +
      (imul(z1, d0) >> 15) +
      (imul(z2, d1) >> 15) +
      (imul(z3, d2) >> 15) +
      (imul(z4, d3) >> 15) +
      (imul(z5, d4) >> 15);

    // FILTEP, PREDIC.
    this.#sample1 = this.#sample0;
    this.#sample0 = saturate(2 * sample);
    this.#sign1 = this.#sign0;
    this.#sign0 = sign;
    this.#pole0 = pole0New;
    this.#pole1 = pole1New;
    const fromSamples = saturate((imul(pole0New, this.#sample0) >> 15) + (imul(pole1New, this.#sample1) >> 15));
    this.#fromDifferences = saturate(sum);
    this.expected = saturate(fromSamples + this.#fromDifferences);
  }
}

/** `unlike`: −1 where this difference and the new one point to different sides, 0 where to the same. */
const weight = (before: number, nudge: number, unlike: number) =>
  (nudge ^ unlike) - unlike + (imul(before, 32_640) >> 15);
