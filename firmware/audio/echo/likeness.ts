/**
 * Whether two sounds rise and fall together in their bands, −1 to 1, over the last fifth of a second of the second. What is
 * left of an echo rises and falls with it, however badly the room is known; a visitor does not.
 */

/** Each band is seen against its own mean of so many frames. */
const MEAN_FRAMES = 50;
const LOOK_BACK_FRAMES = 20;
/** After so long a silence the past counts less than one frame that counts fully. */
const SILENCE_FRAMES = 50;
const FRAMES_KEPT = 0.5;
/** So many bands with sound make a frame that counts fully. */
const FULL_BANDS = 8;
/** Power: what is below −50 dB of full scale neither rises nor falls. */
const LEAST = 1e-5;

export class Likeness {
  /** Of the logarithm of the power. */
  readonly #meanOne: Float64Array;
  readonly #meanOther: Float64Array;
  #together = 0;
  #one = 0;
  #other = 0;
  #silent = 0;
  #seen = FRAMES_KEPT;

  constructor(bands: number) {
    [this.#meanOne, this.#meanOther] = [new Float64Array(bands), new Float64Array(bands)];
    this.#meanOne.fill(Math.log(LEAST));
    this.#meanOther.fill(Math.log(LEAST));
  }

  get value() {
    return this.#together / Math.sqrt(this.#one * this.#other + LEAST);
  }

  /** Powers of one frame; `loudBands` of the other one have sound in them. */
  hear(one: Float64Array, other: Float64Array, loudBands: number) {
    let together = 0;
    let ones = 0;
    let others = 0;
    for (let band = 0; band < one.length; band++) {
      const a = Math.log(one[band]! + LEAST);
      const b = Math.log(other[band]! + LEAST);
      this.#meanOne[band]! += (a - this.#meanOne[band]!) / MEAN_FRAMES;
      this.#meanOther[band]! += (b - this.#meanOther[band]!) / MEAN_FRAMES;
      together += (a - this.#meanOne[band]!) * (b - this.#meanOther[band]!);
      ones += (a - this.#meanOne[band]!) ** 2;
      others += (b - this.#meanOther[band]!) ** 2;
    }
    if (loudBands === 0) {
      if (++this.#silent > SILENCE_FRAMES) this.#seen = Math.min(FRAMES_KEPT, this.#seen);
      return;
    }
    this.#silent = 0;
    const weight = Math.min(1, loudBands / FULL_BANDS);
    this.#seen = Math.min(LOOK_BACK_FRAMES, this.#seen + weight);
    const share = weight / this.#seen;
    this.#together += share * (together - this.#together);
    this.#one += share * (ones - this.#one);
    this.#other += share * (others - this.#other);
  }
}
