/** Plays sound a little faster or slower, so little that nobody hears it: for a moment that is to be met, and clocks that drift. */
import { lowPass } from './resample.ts';

/** A third of what it is off is left after so long, a tenth of a millisecond being 0.02 %; and the most: a third of a semitone. */
const SETTLING_MS = 500;
const MOST = 0.02;

/** Instants between two samples at which one can be made, and samples that are looked at for it: flat to 0.43 of the rate. */
const PHASES = 256;
const TAPS = 32;
const filters = lowPass(PHASES, TAPS, 0.5);
/** Samples by which what comes out lies behind what went in. */
const CENTRE = (PHASES * TAPS - 1) / 2 / PHASES;

export class Trim {
  readonly #chunk: Int16Array;
  /** TAPS − 1 samples of the past, then the chunk. */
  readonly #line: Float64Array;
  readonly #more: (chunk: Int16Array, index: number) => void;
  /** Where in the chunk the newest sample of the next output is. */
  #at = 0;
  #speed = 1;

  /** `more` fills a chunk of so many samples, whose first will be heard `index` samples (or parts) after the frame's first. */
  constructor(chunkSamples: number, more: (chunk: Int16Array, index: number) => void) {
    this.#chunk = new Int16Array(chunkSamples);
    this.#line = new Float64Array(TAPS - 1 + chunkSamples);
    this.#more = more;
    this.reset();
  }

  /** The first sample of the next chunk is the next sample played. */
  reset() {
    this.#line.fill(0);
    this.#at = this.#chunk.length + CENTRE;
    this.#speed = 1;
  }

  /** What is played now should be heard so much later (or earlier, where negative). */
  correct(earlyMs: number) {
    this.#speed = 1 - Math.max(-MOST, Math.min(MOST, earlyMs / SETTLING_MS));
  }

  /** Fills the frame from its sample `from` on. */
  read(frame: Int16Array, from: number) {
    const line = this.#line;
    for (let index = from; index < frame.length; index++) {
      if (this.#at >= this.#chunk.length) this.#fetch(index);
      const newest = Math.floor(this.#at);
      const filter = Math.floor((this.#at - newest) * PHASES) * TAPS;
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap++) sum += line[newest + tap]! * filters[filter + tap]!;
      frame[index] = sum >= 32767 ? 32767 : sum <= -32768 ? -32768 : Math.round(sum);
      this.#at += this.#speed;
    }
  }

  #fetch(index: number) {
    const { length } = this.#chunk;
    this.#at -= length;
    this.#line.copyWithin(0, length);
    this.#more(this.#chunk, index + (CENTRE - this.#at) / this.#speed);
    for (let i = 0; i < length; i++) this.#line[TAPS - 1 + i] = this.#chunk[i]!;
  }
}
