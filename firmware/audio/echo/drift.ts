/**
 * Follows two clocks that part: the loudspeaker's and the microphone's. All delays of the room that the filter has learnt
 * then grow or shrink together, so its phases turn, evenly with frequency. How fast is seen by comparing the room with
 * what it was; and the filter is turned on by so much with each frame, so that it is right before it has learnt that.
 */

/** The room is compared with what it was so many frames ago. */
const LOOK_FRAMES = 20;
/** Below this likeness it is another room, and says nothing of clocks. */
const ALIKE = 0.9;
/** Seen in the lower half of the spectrum, where speech is; not in the lines where none is. */
const FIRST_LINE = 2;
const SEEN_PART = 0.5;
/** From this shift between two looks on, in samples, much is believed of it, and less of one that is less. */
const LARGE = 0.05;
const BELIEF_LARGE = 0.7;
const BELIEF = 0.2;
/** And so much of that while the visitor speaks. */
const LEAST_TRUST = 0.03;
/** Of a room of which nothing is known. */
const LEAST = 1e-12;
/** No two crystals are further apart, parts per million. */
const MOST_PPM = 500;

export class Drift {
  /** The filter's coefficients, a part of 10 ms each. */
  readonly #re: readonly Float64Array[];
  readonly #im: readonly Float64Array[];
  readonly #wasRe: readonly Float64Array[];
  readonly #wasIm: readonly Float64Array[];
  readonly #hop: number;
  /** Phase of the first line for a delay of one sample. */
  readonly #angle: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  #frames = 0;
  #rate = 0;
  #rested = false;

  /** `size`: of the transform, samples. */
  constructor(size: number, hop: number, re: readonly Float64Array[], im: readonly Float64Array[]) {
    this.#angle = (2 * Math.PI) / size;
    [this.#hop, this.#re, this.#im] = [hop, re, im];
    this.#wasRe = re.map(part => part.slice());
    this.#wasIm = im.map(part => part.slice());
    this.#cos = new Float64Array(size / 2 + 1).fill(1);
    this.#sin = new Float64Array(size / 2 + 1);
  }

  /** By so much the echo comes later and later, parts per million. */
  get ppm() {
    return this.#rate * 1e6;
  }

  /** One frame on. `trust`, 0 to 1: how little else is heard. */
  turn(trust: number) {
    if (++this.#frames % LOOK_FRAMES === 0) this.#look(trust);
    if (this.#rate === 0) return;
    const cos = this.#cos;
    const sin = this.#sin;
    for (let part = 0; part < this.#re.length; part++) {
      const re = this.#re[part]!;
      const im = this.#im[part]!;
      for (let line = 0; line < re.length; line++) {
        const real = re[line]!;
        re[line] = real * cos[line]! + im[line]! * sin[line]!;
        im[line] = im[line]! * cos[line]! - real * sin[line]!;
      }
    }
  }

  /** A frame without sound after many: what comes next is not compared with what was. */
  rest() {
    this.#frames = 0;
    this.#rested = true;
  }

  #look(trust: number) {
    const samples = LOOK_FRAMES * this.#hop;
    const shift = this.#shift(this.#rate * samples);
    for (let part = 0; part < this.#re.length; part++) {
      this.#wasRe[part]!.set(this.#re[part]!);
      this.#wasIm[part]!.set(this.#im[part]!);
    }
    const wasRested = this.#rested;
    this.#rested = false;
    if (shift === undefined || wasRested) return;
    const belief = (Math.abs(shift) > LARGE ? BELIEF_LARGE : BELIEF) * (LEAST_TRUST + (1 - LEAST_TRUST) * trust);
    const most = MOST_PPM * 1e-6;
    this.#rate = Math.min(most, Math.max(-most, this.#rate + (belief * shift) / samples));
    const angle = this.#angle * this.#rate * this.#hop;
    for (let line = 0; line < this.#cos.length; line++) {
      this.#cos[line] = Math.cos(angle * line);
      this.#sin[line] = Math.sin(angle * line);
    }
  }

  /** Samples by which the room is later than it was and was `turned` since; undefined where it is not the same room. */
  #shift(turned: number): number | undefined {
    const end = Math.floor(this.#cos.length * SEEN_PART);
    let above = 0;
    let below = 0;
    let alike = 0;
    let was = LEAST;
    let is = LEAST;
    for (let line = FIRST_LINE; line < end; line++) {
      let re = 0;
      let im = 0;
      for (let part = 0; part < this.#re.length; part++) {
        const nowRe = this.#re[part]![line]!;
        const nowIm = this.#im[part]![line]!;
        const wasRe = this.#wasRe[part]![line]!;
        const wasIm = this.#wasIm[part]![line]!;
        re += wasRe * nowRe + wasIm * nowIm;
        im += wasRe * nowIm - wasIm * nowRe;
        was += wasRe ** 2 + wasIm ** 2;
        is += nowRe ** 2 + nowIm ** 2;
      }
      const angle = this.#angle * line;
      // Math.hypot makes an object each time.
      const length = Math.sqrt(re * re + im * im);
      above -= angle * (im * Math.cos(angle * turned) + re * Math.sin(angle * turned));
      below += angle * angle * length;
      alike += length;
    }
    return below > 0 && alike > ALIKE * Math.sqrt(was * is) ? above / below : undefined;
  }
}
