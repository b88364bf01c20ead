/**
 * Subtracts the echo that follows from what was played: a filter in the frequency domain, in parts of 10 ms, that learns
 * the room as a Kalman filter does (Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control
 * in hands-free telephones", 2006; in parts: Kuech et al., ICASSP 2014). It knows at each frequency how sure it is, so it
 * stands still while the visitor speaks and moves when the room does, without anybody telling it which.
 */
import { Fft } from '../fft.ts';
import { FRAME_MS, frameSamples } from '../frame.ts';

/** The echo may last so long after the loudspeaker. */
const TAIL_MS = 130;
/** How much of the room is the same a frame later. Less follows a drifting clock quicker and cancels less in peace. */
const SAME = 0.998;
/** What the microphone hears that is no echo is smoothed over about so many frames. */
const SMOOTH = 0.9;
/** Much of that is echo not yet learnt: so much of it is taken for the visitor and noise. */
const ELSE_SHARE = 0.3;
/** How unsure it is of each part at first. */
const UNSURE = 0.1;
/** Parts whose wrap-around is taken out in one frame, in turn. */
const TIDIED_PER_FRAME = 2;
/** Power of the last bit: where nothing is, nothing is learnt. */
const LEAST = 1e-3;

export class KalmanFilter {
  readonly #fft: Fft;
  readonly #hop: number;
  readonly #bins: number;
  readonly #parts: number;
  /** What was played lately, one transform long. */
  readonly #played: Float64Array;
  /** Spectra of what was played, one a part, a ring of which `#now` is the newest. */
  readonly #xRe: Float64Array[];
  readonly #xIm: Float64Array[];
  readonly #wRe: Float64Array[];
  readonly #wIm: Float64Array[];
  readonly #unsure: Float64Array[];
  readonly #elsePower: Float64Array;
  readonly #divisor: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #left: Float64Array;
  #now = 0;
  #tidied = 0;

  constructor(rate: number) {
    this.#hop = frameSamples(rate);
    const size = 2 ** Math.ceil(Math.log2(2 * this.#hop));
    this.#fft = new Fft(size);
    this.#bins = size / 2 + 1;
    this.#parts = TAIL_MS / FRAME_MS;
    const perPart = () => Array.from({ length: this.#parts }, () => new Float64Array(this.#bins));
    this.#played = new Float64Array(size);
    [this.#xRe, this.#xIm, this.#wRe, this.#wIm] = [perPart(), perPart(), perPart(), perPart()];
    this.#unsure = perPart().map(part => part.fill(UNSURE));
    this.#elsePower = new Float64Array(this.#bins).fill(LEAST);
    this.#divisor = new Float64Array(this.#bins);
    [this.#re, this.#im, this.#left] = [new Float64Array(size), new Float64Array(size), new Float64Array(this.#hop)];
  }

  /** Takes the echo of `loudspeaker` and of what came before it out of `microphone`, in place. */
  process(microphone: Int16Array, loudspeaker: Int16Array) {
    this.#hear(loudspeaker);
    this.#predict();
    const offset = this.#fft.size - this.#hop;
    let before = 0;
    let after = 0;
    for (let at = 0; at < this.#hop; at++) {
      this.#left[at] = microphone[at]! / 32_768 - this.#re[offset + at]!;
      before += microphone[at]! ** 2;
      after += (this.#left[at]! * 32_768) ** 2;
    }
    this.#learn();
    for (let part = 0; part < TIDIED_PER_FRAME; part++) this.#tidy();
    // Worse than nothing while it learns: then nothing is done.
    if (after > 2 * before) return;
    for (let at = 0; at < this.#hop; at++) {
      microphone[at] = Math.max(-32_768, Math.min(32_767, Math.round(this.#left[at]! * 32_768)));
    }
  }

  #hear(loudspeaker: Int16Array) {
    this.#played.copyWithin(0, this.#hop);
    const from = this.#fft.size - this.#hop;
    for (let at = 0; at < this.#hop; at++) this.#played[from + at] = loudspeaker[at]! / 32_768;
    this.#re.set(this.#played);
    this.#im.fill(0);
    this.#fft.forward(this.#re, this.#im);
    this.#now = (this.#now + this.#parts - 1) % this.#parts;
    this.#xRe[this.#now]!.set(this.#re.subarray(0, this.#bins));
    this.#xIm[this.#now]!.set(this.#im.subarray(0, this.#bins));
  }

  /** The echo, in the last part of `#re`. */
  #predict() {
    const re = this.#re;
    const im = this.#im;
    re.fill(0);
    im.fill(0);
    for (let part = 0; part < this.#parts; part++) {
      const at = (this.#now + part) % this.#parts;
      const xr = this.#xRe[at]!;
      const xi = this.#xIm[at]!;
      const wr = this.#wRe[part]!;
      const wi = this.#wIm[part]!;
      for (let bin = 0; bin < this.#bins; bin++) {
        re[bin]! += xr[bin]! * wr[bin]! - xi[bin]! * wi[bin]!;
        im[bin]! += xr[bin]! * wi[bin]! + xi[bin]! * wr[bin]!;
      }
    }
    this.#mirror();
    this.#fft.inverse(re, im);
  }

  /** The other half of a real signal's spectrum. */
  #mirror() {
    const { size } = this.#fft;
    for (let bin = this.#bins; bin < size; bin++) {
      this.#re[bin] = this.#re[size - bin]!;
      this.#im[bin] = -this.#im[size - bin]!;
    }
  }

  #learn() {
    const { size } = this.#fft;
    const re = this.#re;
    const im = this.#im;
    const divisor = this.#divisor;
    const elsePower = this.#elsePower;
    re.fill(0, 0, size - this.#hop);
    re.set(this.#left, size - this.#hop);
    im.fill(0);
    this.#fft.forward(re, im);
    const share = this.#hop / size;
    for (let bin = 0; bin < this.#bins; bin++) {
      const power = re[bin]! ** 2 + im[bin]! ** 2;
      elsePower[bin] = SMOOTH * elsePower[bin]! + (1 - SMOOTH) * power;
      divisor[bin] = (ELSE_SHARE * elsePower[bin]!) / share + LEAST;
    }
    for (let part = 0; part < this.#parts; part++) {
      const at = (this.#now + part) % this.#parts;
      const xr = this.#xRe[at]!;
      const xi = this.#xIm[at]!;
      const unsure = this.#unsure[part]!;
      for (let bin = 0; bin < this.#bins; bin++) divisor[bin]! += unsure[bin]! * (xr[bin]! ** 2 + xi[bin]! ** 2);
    }
    for (let part = 0; part < this.#parts; part++) this.#learnPart(part, share);
  }

  #learnPart(part: number, share: number) {
    const at = (this.#now + part) % this.#parts;
    const xr = this.#xRe[at]!;
    const xi = this.#xIm[at]!;
    const wr = this.#wRe[part]!;
    const wi = this.#wIm[part]!;
    const re = this.#re;
    const im = this.#im;
    const unsure = this.#unsure[part]!;
    const divisor = this.#divisor;
    for (let bin = 0; bin < this.#bins; bin++) {
      const gain = unsure[bin]! / divisor[bin]!;
      wr[bin]! += gain * (xr[bin]! * re[bin]! + xi[bin]! * im[bin]!);
      wi[bin]! += gain * (xr[bin]! * im[bin]! - xi[bin]! * re[bin]!);
      const learnt = 1 - share * gain * (xr[bin]! ** 2 + xi[bin]! ** 2);
      unsure[bin] = SAME * SAME * learnt * unsure[bin]! + (1 - SAME * SAME) * (wr[bin]! ** 2 + wi[bin]! ** 2);
    }
  }

  /** A part is a response of 10 ms: what the transform wrapped around behind it is none of the room's. */
  #tidy() {
    const part = this.#tidied;
    this.#tidied = (part + 1) % this.#parts;
    const re = this.#re;
    const im = this.#im;
    re.set(this.#wRe[part]!);
    im.set(this.#wIm[part]!);
    this.#mirror();
    this.#fft.inverse(re, im);
    re.fill(0, this.#hop);
    im.fill(0);
    this.#fft.forward(re, im);
    this.#wRe[part]!.set(re.subarray(0, this.#bins));
    this.#wIm[part]!.set(im.subarray(0, this.#bins));
  }
}
