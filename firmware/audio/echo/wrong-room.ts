/**
 * How surely the filter knows another room than this one, 0 to 1. It then takes out an echo that is not there: what is left
 * holds the found echo itself, upside down. No voice does that, however its words fall on the loudspeaker's.
 */
import type { BandPowers } from './bands.ts';
import { between } from './between.ts';

/** The spectra are compared over about three frames: this part of the last ones is kept. */
const KEPT = 0.7;
/** Against it: 1 if nothing but the found echo is left. At the first it is chance, at the second none. */
const FROM = 0.19;
const SURELY = 0.34;
/** Roots of the lines with sound that make a frame count fully: a few lines are alike by chance. */
const FULL_WEIGHT = 8;
/** So that silence may be divided by. */
const LEAST = 1e-20;

export class WrongRoom {
  readonly #left: BandPowers;
  readonly #echo: BandPowers;
  readonly #together: Float64Array;
  readonly #lefts: Float64Array;
  readonly #echoes: Float64Array;
  #value = 0;

  /** The spectra of what is left and of the found echo: they hear the frame first. */
  constructor(left: BandPowers, echo: BandPowers) {
    [this.#left, this.#echo] = [left, echo];
    const perBand = () => new Float64Array(left.powers.length);
    [this.#together, this.#lefts, this.#echoes] = [perBand(), perBand(), perBand()];
  }

  get value() {
    return this.#value;
  }

  /** `loud`: 1 for a band with echo in it. `refused`: the filter kept its echo for itself, which is proof enough. */
  hear(loud: Uint8Array, refused: boolean) {
    const { lines } = this.#left;
    let sum = 0;
    let weights = 0;
    for (let band = 0; band < loud.length; band++) {
      this.#hearBand(band, refused);
      if (loud[band] === 0) continue;
      const weight = Math.sqrt(lines[band + 1]! - lines[band]!);
      sum += (weight * this.#together[band]!) / Math.sqrt(this.#lefts[band]! * this.#echoes[band]! + LEAST);
      weights += weight;
    }
    this.#value = between(FROM, SURELY, -sum / Math.max(FULL_WEIGHT, weights));
  }

  #hearBand(band: number, refused: boolean) {
    const { re: leftRe, im: leftIm, lines } = this.#left;
    const { re: echoRe, im: echoIm } = this.#echo;
    let together = 0;
    let left = 0;
    let echo = 0;
    for (let line = lines[band]!; line < lines[band + 1]!; line++) {
      together += leftRe[line]! * echoRe[line]! + leftIm[line]! * echoIm[line]!;
      left += leftRe[line]! ** 2 + leftIm[line]! ** 2;
      echo += echoRe[line]! ** 2 + echoIm[line]! ** 2;
    }
    if (refused) together = -Math.sqrt(left * echo);
    this.#together[band] = KEPT * this.#together[band]! + (1 - KEPT) * together;
    this.#lefts[band] = KEPT * this.#lefts[band]! + (1 - KEPT) * left;
    this.#echoes[band] = KEPT * this.#echoes[band]! + (1 - KEPT) * echo;
  }
}
