/** What is in each band of a sound, about as an ear divides it: the power in the last 20 ms, once a frame of 10 ms. */
import { RealFft } from '../fft.ts';
import { frameSamples } from '../frame.ts';

/** Where one band ends and the next begins, Hz; the last ends at half the rate. */
const EDGES = [
  100, 200, 300, 400, 500, 650, 800, 1000, 1200, 1450, 1700, 2000, 2400, 2900, 3500, 4200, 5200, 6500,
].concat([8000, 11_000, 16_000]);
/** No power is less, so that it may be divided by: 1 is full scale. */
const LEAST = 1e-11;

export const bandEdges = (rate: number): number[] => [...EDGES.filter(edge => edge < rate / 2), rate / 2];

export class BandPowers {
  /** Of the last 20 ms; full scale is 1, and noise has the same in all bands and at all rates. */
  readonly powers: Float64Array;
  /** The spectrum of the same, and the first line of each band, and the end. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly lines: readonly number[];
  readonly #hop: number;
  readonly #fft: RealFft;
  readonly #window: Float64Array;
  readonly #lately: Float64Array;
  readonly #samples: Float64Array;

  constructor(rate: number) {
    this.#hop = frameSamples(rate);
    const length = 2 * this.#hop;
    const size = 2 ** Math.ceil(Math.log2(length));
    this.#fft = new RealFft(size);
    this.#lately = new Float64Array(length);
    this.#samples = new Float64Array(size);
    [this.re, this.im] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
    // Hann's, of which the mean square is 3/8: scaled, so that a spectrum has the power of the sound.
    const scale = 1 / Math.sqrt((3 / 8) * length);
    this.#window = Float64Array.from({ length }, (_, at) => {
      return scale * (0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 0.5)) / length));
    });
    this.lines = bandEdges(rate).map(edge => Math.round((edge * size) / rate));
    this.powers = new Float64Array(this.lines.length - 1).fill(LEAST);
  }

  hear(frame: Float64Array) {
    const lately = this.#lately;
    lately.copyWithin(0, this.#hop);
    lately.set(frame, this.#hop);
    const samples = this.#samples;
    for (let at = 0; at < lately.length; at++) samples[at] = lately[at]! * this.#window[at]!;
    this.#fft.forward(samples, this.re, this.im);
    for (let band = 0; band < this.powers.length; band++) {
      const from = this.lines[band]!;
      const to = this.lines[band + 1]!;
      let sum = 0;
      for (let line = from; line < to; line++) sum += this.re[line]! ** 2 + this.im[line]! ** 2;
      this.powers[band] = sum / (to - from) + LEAST;
    }
  }
}
