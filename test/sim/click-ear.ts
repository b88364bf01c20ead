/** An ear that knows clicks: when each was heard, to a fraction of a sample. */

/** Of what is heard this is a click, where no other was so shortly before: concealment repeats them. */
const HEARD = 6_000;
const APART_MS = 200;

export class ClickEar {
  readonly #rate: number;
  readonly #onClick: (atMs: number) => void;
  /** The last two samples. */
  #before = 0;
  #last = 0;
  #clickedMs = Number.NEGATIVE_INFINITY;

  constructor(rate: number, onClick: (atMs: number) => void) {
    this.#rate = rate;
    this.#onClick = onClick;
  }

  /** A frame, and when its first sample is heard. */
  hear(frame: Int16Array, heardMs: number) {
    for (let index = 0; index < frame.length; index++) {
      const after = frame[index]!;
      if (this.#last > HEARD && this.#last >= this.#before && this.#last > after) {
        this.#click(heardMs + ((index - 1 + this.#top(after)) * 1000) / this.#rate);
      }
      this.#before = this.#last;
      this.#last = after;
    }
  }

  /** Of the parabola through three samples: how far from the middle one. */
  #top(after: number): number {
    return (this.#before - after) / (2 * (this.#before - 2 * this.#last + after));
  }

  #click(atMs: number) {
    if (atMs - this.#clickedMs > APART_MS) this.#onClick(atMs);
    this.#clickedMs = atMs;
  }
}
