/** A token bucket: so many a second, and a few more at once after a pause. */

export interface Rate {
  /** In the long run. */
  perSecond: number;
  /** At once. */
  burst: number;
}

export class Bucket {
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** Takes one, where more than `spare` would remain for others. */
  take(nowMs: number, spare = 0): boolean {
    const { perSecond, burst } = this.#rate;
    // A clock that jumps back gives nothing and takes nothing.
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) * perSecond) / 1000);
    this.#atMs = nowMs;
    if (this.#tokens < spare + 1) return false;
    this.#tokens--;
    return true;
  }
}
