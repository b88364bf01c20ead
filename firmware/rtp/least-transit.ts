/** The quickest of the last packets: what a network adds to the way is never less than nothing, and sometimes nothing. */

export class LeastTransit {
  /** The least of each so many packets; the oldest gives way. */
  readonly #least: Float64Array;
  readonly #packets: number;
  #place = 0;
  #count = 0;

  /** Looks back on `places` × `packets` packets, and forgets `packets` at once. */
  constructor(places: number, packets: number) {
    this.#least = new Float64Array(places).fill(Number.POSITIVE_INFINITY);
    this.#packets = packets;
  }

  reset() {
    this.#least.fill(Number.POSITIVE_INFINITY);
    this.#place = 0;
    this.#count = 0;
  }

  add(transitMs: number) {
    if (this.#count === this.#packets) {
      this.#count = 0;
      this.#place = (this.#place + 1) % this.#least.length;
      this.#least[this.#place] = Number.POSITIVE_INFINITY;
    }
    this.#count++;
    this.#least[this.#place] = Math.min(this.#least[this.#place]!, transitMs);
  }

  /** Infinite before the first. */
  get ms(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const each of this.#least) if (each < least) least = each;
    return least;
  }
}
