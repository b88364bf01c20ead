/** What loss an encoder should reckon with, from what the far end reports (RFC 3550 §6.4.1): up at once, down slowly. */

/** Each report without loss takes so much of what was expected; with one in 5 s, half is forgotten in 15 s. */
const KEPT = 0.8;
/** Never none: the first packet that is lost should be recovered too. Percent. */
const LEAST = 1;
/** Beyond this the copies cost the speech more than they save. Percent. */
const MOST = 30;

export class LossExpectation {
  /** Percent. */
  #percent: number;
  #told: number;

  /** `atFirst`: until the far end has said anything. Percent. */
  constructor(atFirst: number) {
    this.#percent = this.#told = atFirst;
  }

  /** What was said last. */
  get percent() {
    return this.#told;
  }

  /** A report: what share was lost since the one before. Returns what to expect where that is news. */
  report(share: number): number | undefined {
    const percent = share * 100;
    this.#percent = Math.min(MOST, Math.max(LEAST, percent, this.#percent * KEPT));
    const rounded = Math.round(this.#percent);
    if (rounded === this.#told) return undefined;
    this.#told = rounded;
    return rounded;
  }
}
