/**
 * Subtracts the echo that follows from what was played: a filter in the frequency domain, in parts of 10 ms, that learns
 * the room as a Kalman filter does (Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control
 * in hands-free telephones", 2006; in parts: Kuech et al., ICASSP 2014). It knows at each frequency how sure it is, so it
 * stands still while the visitor speaks and moves when the room does, without anybody telling it which.
 */
import { RealFft } from '../fft.ts';
import { FRAME_MS, frameSamples } from '../frame.ts';
import { Drift } from './drift.ts';

/** The echo may last so long after the loudspeaker. */
const TAIL_MS = 160;
/** How much of the room is another one a frame later: while a visitor speaks, and while only the echo is heard. */
const MOVES_IN_TALK = 0.0004;
const MOVES = 0.006;
/** What the microphone hears that is no echo is smoothed over about so many frames. */
const SMOOTH = 0.9;
/** So much of what is left is taken for the visitor and noise, not for echo that is not learnt yet: while he speaks, and not. */
const ELSE_IN_TALK = 1;
const ELSE = 0.15;
/** How unsure it is of each part at first. */
const UNSURE = 0.1;
/** Parts whose wrap-around is taken out in one frame, in turn. */
const TIDIED_PER_FRAME = 2;
/** What is left may be so much louder than what was heard. Power. */
const MOST_WORSE = 2;
/** The drift goes on while nothing is heard of it, but not for ever: what is known of it is not that exact. */
const CLOCKS_KNOWN_FRAMES = 1000;
/** Power of the last bit: where nothing is, nothing is learnt. */
const LEAST = 1e-3;

function isSilent(frame: Int16Array): boolean {
  for (let at = 0; at < frame.length; at++) if (frame[at]! < -1 || frame[at]! > 1) return false;
  return true;
}

export class KalmanFilter {
  /** The echo in the last frame, and what was left of it; 1 is full scale. */
  readonly echo: Float64Array;
  readonly left: Float64Array;
  /** The echo found was far louder than all that was heard, so it was not taken out. */
  refused = false;
  readonly #fft: RealFft;
  readonly #hop: number;
  readonly #bins: number;
  readonly #parts: number;
  /** What was played lately, one transform long. */
  readonly #played: Float64Array;
  /** What was heard lately: so long is a transform right. */
  readonly #heard: Float64Array;
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
  readonly #samples: Float64Array;
  readonly #drift: Drift;
  #silentFrames = 0;
  #now = 0;
  #tidied = 0;

  constructor(rate: number) {
    this.#hop = frameSamples(rate);
    const size = 2 ** Math.ceil(Math.log2(2 * this.#hop));
    this.#fft = new RealFft(size);
    this.#bins = size / 2 + 1;
    this.#parts = TAIL_MS / FRAME_MS;
    const perPart = () => Array.from({ length: this.#parts }, () => new Float64Array(this.#bins));
    this.#played = new Float64Array(size);
    this.#heard = new Float64Array(size - this.#hop);
    [this.#xRe, this.#xIm, this.#wRe, this.#wIm] = [perPart(), perPart(), perPart(), perPart()];
    this.#unsure = perPart().map(part => part.fill(UNSURE));
    this.#elsePower = new Float64Array(this.#bins).fill(LEAST);
    this.#divisor = new Float64Array(this.#bins);
    [this.#re, this.#im, this.#samples] = [
      new Float64Array(this.#bins),
      new Float64Array(this.#bins),
      new Float64Array(size),
    ];
    [this.echo, this.left] = [new Float64Array(this.#hop), new Float64Array(this.#hop)];
    this.#drift = new Drift(size, this.#hop, this.#wRe, this.#wIm);
  }

  /** How fast the clocks part, as far as it is seen: parts per million. */
  get driftPpm() {
    return this.#drift.ppm;
  }

  /**
   * Finds the echo of `loudspeaker`, and of what came before it, in `microphone`. `trust`, 0 to 1: how sure it is that
   * nobody speaks here.
   */
  process(microphone: Int16Array, loudspeaker: Int16Array, trust = 0.5) {
    const { left, echo } = this;
    const heard = this.#heard;
    const newest = heard.length - this.#hop;
    heard.copyWithin(0, this.#hop);
    for (let at = 0; at < this.#hop; at++) left[at] = heard[newest + at] = microphone[at]! / 32_768;
    echo.fill(0);
    this.refused = false;
    this.#silentFrames = isSilent(loudspeaker) ? this.#silentFrames + 1 : 0;
    this.#hear(loudspeaker);
    if (this.#silentFrames < CLOCKS_KNOWN_FRAMES) this.#drift.turn(trust);
    else this.#drift.rest();
    // Nothing to subtract, and nothing to learn from.
    if (this.#silentFrames > this.#parts + this.#fft.size / this.#hop) return;
    this.#predict();
    const from = this.#fft.size - heard.length;
    const samples = this.#samples;
    let before = 0;
    let after = 0;
    for (let at = 0; at < this.#hop; at++) {
      const found = samples[from + newest + at]!;
      before += left[at]! ** 2;
      echo[at] = found;
      after += (left[at]! - found) ** 2;
    }
    // Worse than nothing while it learns: then nothing is done.
    this.refused = after > MOST_WORSE * before;
    if (!this.refused) for (let at = 0; at < this.#hop; at++) left[at]! -= echo[at]!;
    samples.fill(0, 0, from);
    for (let at = 0; at < heard.length; at++) samples[from + at] = heard[at]! - samples[from + at]!;
    this.#learn(trust);
    for (let part = 0; part < TIDIED_PER_FRAME; part++) this.#tidy();
  }

  #hear(loudspeaker: Int16Array) {
    this.#played.copyWithin(0, this.#hop);
    const from = this.#fft.size - this.#hop;
    for (let at = 0; at < this.#hop; at++) this.#played[from + at] = loudspeaker[at]! / 32_768;
    this.#now = (this.#now + this.#parts - 1) % this.#parts;
    this.#fft.forward(this.#played, this.#xRe[this.#now]!, this.#xIm[this.#now]!);
  }

  /** The echo, in the last part of `#samples`. */
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
    this.#fft.inverse(re, im, this.#samples);
  }

  #learn(trust: number) {
    const { size } = this.#fft;
    const re = this.#re;
    const im = this.#im;
    const divisor = this.#divisor;
    const elsePower = this.#elsePower;
    this.#fft.forward(this.#samples, re, im);
    const share = this.#heard.length / size;
    const elseShare = ELSE_IN_TALK + (ELSE - ELSE_IN_TALK) * trust;
    const moves = MOVES_IN_TALK + (MOVES - MOVES_IN_TALK) * trust;
    for (let bin = 0; bin < this.#bins; bin++) {
      const power = re[bin]! ** 2 + im[bin]! ** 2;
      elsePower[bin] = SMOOTH * elsePower[bin]! + (1 - SMOOTH) * power;
      divisor[bin] = (elseShare * elsePower[bin]!) / share + LEAST;
    }
    for (let part = 0; part < this.#parts; part++) {
      const at = (this.#now + part) % this.#parts;
      const xr = this.#xRe[at]!;
      const xi = this.#xIm[at]!;
      const unsure = this.#unsure[part]!;
      for (let bin = 0; bin < this.#bins; bin++) divisor[bin]! += unsure[bin]! * (xr[bin]! ** 2 + xi[bin]! ** 2);
    }
    for (let part = 0; part < this.#parts; part++) this.#learnPart(part, share, moves);
  }

  #learnPart(part: number, share: number, moves: number) {
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
      unsure[bin] = (1 - moves) * learnt * unsure[bin]! + moves * (wr[bin]! ** 2 + wi[bin]! ** 2);
    }
  }

  /** A part is a response of 10 ms: what the transform wrapped around behind it is none of the room's. */
  #tidy() {
    const part = this.#tidied;
    this.#tidied = (part + 1) % this.#parts;
    const samples = this.#samples;
    this.#fft.inverse(this.#wRe[part]!, this.#wIm[part]!, samples);
    samples.fill(0, this.#hop);
    this.#fft.forward(samples, this.#wRe[part]!, this.#wIm[part]!);
  }
}
