/**
 * Gives each band its gain without cutting the sound into spectra: a short filter of linear phase that is made anew for
 * each frame, the old one fading into it. So it costs 2 ms of delay, where spectra that overlap cost a frame.
 */
import { RealFft } from '../fft.ts';
import { frameSamples, saturate } from '../frame.ts';
import { bandEdges } from './bands.ts';

/** The filter looks so far to both sides. */
const HALF_MS = 2;
/** From here on a gain is none. */
const OPEN = 0.999;

export class BandFilter {
  /** The gain of each band, 0 to 1, as it shall be at the end of the next frame. */
  readonly gains: Float64Array;
  readonly #half: number;
  readonly #design: RealFft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #impulse: Float64Array;
  /** For each line of the design, the place between the middles of two bands. */
  readonly #places: Float64Array;
  readonly #taper: Float64Array;
  /** The middle of the filter and its one side; the other is the same. */
  #taps: Float64Array;
  #tapsBefore: Float64Array;
  #open = true;
  readonly #line: Float64Array;

  constructor(rate: number) {
    const edges = bandEdges(rate);
    this.gains = new Float64Array(edges.length - 1).fill(1);
    this.#half = Math.round((rate * HALF_MS) / 1000);
    const size = 2 ** Math.ceil(Math.log2(2 * this.#half + 1));
    this.#design = new RealFft(size);
    [this.#re, this.#im] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
    this.#impulse = new Float64Array(size);
    [this.#taps, this.#tapsBefore] = [new Float64Array(this.#half + 1), new Float64Array(this.#half + 1)];
    this.#taps[0] = 1;
    this.#taper = Float64Array.from({ length: this.#half + 1 }, (_, at) => {
      return 0.5 + 0.5 * Math.cos((Math.PI * at) / (this.#half + 1));
    });
    this.#line = new Float64Array(2 * this.#half + frameSamples(rate));
    const middles = this.gains.map((_, band) => (((edges[band]! + edges[band + 1]!) / 2) * size) / rate);
    this.#places = Float64Array.from({ length: size / 2 + 1 }, (_, line) => placeAmong(middles, line));
  }

  get delaySamples() {
    return this.#half;
  }

  process(samples: Float64Array, out: Int16Array) {
    const line = this.#line;
    line.copyWithin(0, samples.length);
    line.set(samples, 2 * this.#half);
    const wasOpen = this.#open;
    this.#make();
    if (wasOpen && this.#open) {
      for (let at = 0; at < out.length; at++) out[at] = saturate(line[at + this.#half]! * 32_768);
      return;
    }
    const now = this.#taps;
    const before = this.#tapsBefore;
    for (let at = 0; at < out.length; at++) {
      const middle = at + this.#half;
      let old = before[0]! * line[middle]!;
      let fresh = now[0]! * line[middle]!;
      for (let tap = 1; tap <= this.#half; tap++) {
        const both = line[middle - tap]! + line[middle + tap]!;
        old += before[tap]! * both;
        fresh += now[tap]! * both;
      }
      out[at] = saturate((old + ((fresh - old) * (at + 1)) / out.length) * 32_768);
    }
  }

  /** From the gains to the taps: what is real in the spectrum is symmetric in time. */
  #make() {
    const last = this.gains.length - 1;
    this.#open = areOpen(this.gains);
    for (let line = 0; line < this.#re.length; line++) {
      const place = this.#places[line]!;
      const band = Math.floor(place);
      const gain = this.gains[band]!;
      this.#re[line] = gain + (place - band) * (this.gains[Math.min(last, band + 1)]! - gain);
    }
    this.#im.fill(0);
    this.#design.inverse(this.#re, this.#im, this.#impulse);
    const taps = this.#tapsBefore;
    for (let at = 0; at < taps.length; at++) taps[at] = this.#impulse[at]! * this.#taper[at]!;
    this.#tapsBefore = this.#taps;
    this.#taps = taps;
  }
}

/** `every` would make an object for each. */
function areOpen(gains: Float64Array): boolean {
  for (let band = 0; band < gains.length; band++) if (gains[band]! <= OPEN) return false;
  return true;
}

/** 1.5 is half way from the second middle to the third. */
function placeAmong(middles: Float64Array, value: number): number {
  const last = middles.length - 1;
  if (value <= middles[0]!) return 0;
  if (value >= middles[last]!) return last;
  let band = 0;
  while (middles[band + 1]! <= value) band++;
  return band + (value - middles[band]!) / (middles[band + 1]! - middles[band]!);
}
