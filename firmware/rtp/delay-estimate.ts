/** How long packets must be kept so that nearly all of them are there when their moment comes. */

/** Packets looked back on: some ten seconds of 20 ms packets. */
const WINDOW_PACKETS = 512;
/** The share of packets that shall arrive in time. */
const IN_TIME = 0.99;
/** A packet that takes longer than this share of them is not as usual. */
const USUAL = 0.9;
/** Where the slow ones are so much slower than that, waiting for one that is overdue is worth while. */
const WORTH_WAITING_MS = 10;
/** Packets between two sortings of the window; in between only a late packet moves the estimate. */
const SORT_EVERY_PACKETS = 16;
/** The delay before anything is known of the network, within the limits. */
const FIRST_DELAY_MS = 40;
/** Packets before the estimate is believed below FIRST_DELAY_MS. */
const LEARNING_PACKETS = 50;
/** How fast the memory of a late packet fades, milliseconds for each packet. */
const FORGET_MS_PER_PACKET = 0.5;

/**
 * Transit is arrival time less RTP time, in milliseconds: its zero means nothing, its differences are delay. Played at
 * an offset (play time less RTP time) of `wanted`, all but 1 % of the recent packets would have been in time. Clock
 * drift and route changes move the whole window, so they need no treatment of their own.
 */
export class DelayEstimate {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #transits = new Float64Array(WINDOW_PACKETS);
  readonly #sorted = new Float64Array(WINDOW_PACKETS);
  #count = 0;
  #sinceSorted = 0;
  #least = 0;
  #quantile = 0;
  #usual = 0;
  #peak = Number.NEGATIVE_INFINITY;

  /** The delay stays between these, counted from the quickest packets. */
  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = Math.max(minMs, maxMs);
  }

  reset() {
    this.#count = 0;
    this.#sinceSorted = 0;
    this.#peak = Number.NEGATIVE_INFINITY;
  }

  add(transitMs: number) {
    const first = this.#count === 0;
    this.#transits[this.#count % WINDOW_PACKETS] = transitMs;
    this.#count++;
    this.#least = first ? transitMs : Math.min(this.#least, transitMs);
    this.#peak -= FORGET_MS_PER_PACKET;
    this.#sinceSorted++;
    // While there are few, each counts for much.
    if (this.#sinceSorted >= SORT_EVERY_PACKETS || this.#count <= SORT_EVERY_PACKETS) this.#sort();
  }

  /** A packet came too late: the estimate covers such a transit from now on, and forgets it slowly. */
  raise(transitMs: number) {
    this.#peak = Math.max(this.#peak, Math.min(transitMs, this.#least + this.#maxMs));
  }

  #sort() {
    this.#sinceSorted = 0;
    const length = Math.min(this.#count, WINDOW_PACKETS);
    // What is not filled yet sorts to the end.
    this.#sorted.fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < length; i++) this.#sorted[i] = this.#transits[i]!;
    this.#sorted.sort();
    this.#least = this.#sorted[0]!;
    this.#usual = this.#sorted[Math.ceil(length * USUAL) - 1]!;
    this.#quantile = this.#sorted[Math.ceil(length * IN_TIME) - 1]!;
  }

  /** The quickest packet of the window: delay is counted from here. */
  get leastMs(): number {
    return this.#least;
  }

  /**
   * How much longer than usual a packet takes that is on its way for `transitMs` by now. 0 where packets come at an even
   * pace, since there it is lost.
   */
  overdueMs(transitMs: number): number {
    const stalls = Math.max(this.#quantile, this.#peak) - this.#usual > WORTH_WAITING_MS;
    return stalls ? Math.max(0, transitMs - this.#usual) : 0;
  }

  /** The offset to play at. */
  get wantedMs(): number {
    const minMs = this.#count < LEARNING_PACKETS ? Math.max(this.#minMs, FIRST_DELAY_MS) : this.#minMs;
    const wanted = Math.max(this.#quantile, this.#peak, this.#least + minMs);
    return Math.min(wanted, this.#least + this.#maxMs);
  }
}
