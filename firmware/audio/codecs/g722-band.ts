/**
 * One sub-band of G.722: adaptive quantiser step and adaptive predictor, the same in encoder and decoder (ITU-T G.722
 * §3.5, §3.6; the names of blocks are those of its §6.2). Integer arithmetic throughout: two ends that differ by one bit
 * drift apart.
 */

/** G.722 Table 14/2^: the fractional part of the step size, by its logarithm. */
const ILB = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
] as const;

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

const within = (low: number, value: number, high: number) => Math.max(low, Math.min(value, high));

export const saturate = (value: number) => within(-32_768, value, 32_767);

export class Band {
  /** DETL, DETH: the quantiser's step. */
  step: number;
  /** SL, SH: what the next sample is expected to be. */
  expected = 0;
  readonly #spec: BandSpec;
  /** NBL, NBH: the step's logarithm. */
  #logarithm = 0;
  /** SZ: the part of the expectation that comes from past differences. */
  #fromDifferences = 0;
  /** The last two reconstructed samples, and partial reconstructions; the newest first. */
  readonly #samples = new Int32Array(2);
  readonly #partials = new Int32Array(2);
  readonly #poles = new Int32Array(2);
  /** The last six quantised differences, the newest first, and their weights. */
  readonly #differences = new Int32Array(ZEROS);
  readonly #zeros = new Int32Array(ZEROS);

  constructor(spec: BandSpec) {
    this.#spec = spec;
    this.step = spec.step;
  }

  /** Takes the quantised difference of one sample, and what its code adds to the step's logarithm. */
  adapt(difference: number, growth: number) {
    this.#rescale(growth);
    this.#predict(difference);
  }

  /** LOGSCL, SCALEL and their counterparts. */
  #rescale(growth: number) {
    const { largest, shift } = this.#spec;
    this.#logarithm = within(0, ((this.#logarithm * LEAK) >> 7) + growth, largest);
    const fraction = ILB[(this.#logarithm >> 6) & 31]!;
    const exponent = shift - (this.#logarithm >> 11);
    this.step = (exponent < 0 ? fraction << -exponent : fraction >> exponent) << 2;
  }

  #predict(difference: number) {
    const samples = this.#samples;
    const partials = this.#partials;
    const poles = this.#poles;
    const differences = this.#differences;
    const zeros = this.#zeros;
    // RECONS, PARREC.
    const sample = saturate(this.expected + difference);
    const partial = saturate(this.#fromDifferences + difference);
    const sign = partial >> 15;
    const like0 = sign === partials[0]! >> 15;
    const like1 = sign === partials[1]! >> 15;

    // UPPOL2.
    const four = saturate(poles[0]! << 2);
    const pull = like0 ? Math.min(-four, 32_767) : four;
    const second = within(-12_288, (like1 ? 128 : -128) + (pull >> 7) + ((poles[1]! * 32_512) >> 15), 12_288);
    // UPPOL1.
    const bound = saturate(15_360 - second);
    const first = within(-bound, saturate((like0 ? 192 : -192) + ((poles[0]! * 32_640) >> 15)), bound);

    // UPZERO.
    const nudge = difference === 0 ? 0 : 128;
    const towards = difference >> 15;
    for (let index = 0; index < ZEROS; index++) {
      const moved = differences[index]! >> 15 === towards ? nudge : -nudge;
      zeros[index] = saturate(moved + ((zeros[index]! * 32_640) >> 15));
    }

    // DELAYA.
    for (let index = ZEROS - 1; index > 0; index--) differences[index] = differences[index - 1]!;
    differences[0] = difference;
    samples[1] = samples[0]!;
    samples[0] = sample;
    partials[1] = partials[0]!;
    partials[0] = partial;
    poles[0] = first;
    poles[1] = second;

    // FILTEP, FILTEZ, PREDIC.
    const fromSamples = saturate(
      ((first * saturate(2 * samples[0]!)) >> 15) + ((second * saturate(2 * samples[1]!)) >> 15),
    );
    let sum = 0;
    for (let index = ZEROS - 1; index >= 0; index--) sum += (zeros[index]! * saturate(2 * differences[index]!)) >> 15;
    this.#fromDifferences = saturate(sum);
    this.expected = saturate(fromSamples + this.#fromDifferences);
  }
}
