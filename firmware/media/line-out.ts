/** What the line out plays: all that the loudspeaker plays, or the pages of it, as loud as there and by a gain of its own. */
import { frameSamples } from '../audio/frame.ts';
import { Gain } from '../audio/gain.ts';
import { Limiter } from '../audio/limiter.ts';
import type { LineOutSettings } from './protocol.ts';

export class LineOut {
  readonly #plays: LineOutSettings['plays'];
  readonly #gain: Gain;
  readonly #limiter: Limiter;
  readonly #sum: Int32Array;

  constructor(rate: number, { plays, gainDb }: LineOutSettings) {
    this.#plays = plays;
    this.#gain = new Gain(rate, gainDb);
    this.#limiter = new Limiter(rate);
    this.#sum = new Int32Array(frameSamples(rate));
  }

  /** Fills a frame from the sum of everything and that of the pages in it. */
  play(everything: Int32Array, pages: Int32Array, into: Int16Array) {
    this.#sum.set(this.#plays === 'pages' ? pages : everything);
    this.#gain.scale(this.#sum);
    this.#limiter.apply(this.#sum, into);
  }

  describe() {
    return `${this.#plays}, ${this.#gain.db} dB`;
  }
}
