/**
 * Sound between two clocks: any ratio of rates, and one that moves while it runs. Windowed sinc, its phases tabled and
 * joined by straight lines; where both clocks agree the samples go through untouched, 12 samples later.
 */

/** Samples of the slower side to the left and right of an instant that its value is made of: one rate, and two. */
const HALF = 12;
const HALF_OF_TWO = 20;
/** Instants between two samples that are tabled; what lies between them is 84 dB below the sound. */
const PHASES = 128;
/** Kaiser's window, about 60 dB down. */
const BETA = 5.7;
/** Where the filter of a change of rate is half way down, as a part of the slower side's half rate. */
const CUTOFF = 0.9;
/** From here on two rates are two rates, and not one of two crystals. */
const DRIFT = 0.01;

export class Interpolator {
  /** Input samples from one output to the next; may be set at any time. */
  step: number;
  readonly #half: number;
  /** PHASES + 1 filters of 2 × half coefficients. */
  readonly #table: Float64Array;
  readonly #line: Float64Array;
  /** Where the next output falls in the line, samples. */
  #at: number;
  /** Samples in the line. */
  #filled: number;

  /** `maxInput`: samples given at once at most. */
  constructor(step: number, maxInput: number) {
    this.step = step;
    const isOneRate = Math.abs(step - 1) < DRIFT;
    const slowness = isOneRate ? 1 : Math.max(1, step);
    this.#half = isOneRate ? HALF : Math.ceil(HALF_OF_TWO * slowness);
    this.#table = design(this.#half, isOneRate ? 1 : CUTOFF / slowness);
    // What an output looks back on, what it waits for, and the slack of a step that moves.
    this.#line = new Float64Array(3 * this.#half + maxInput + Math.ceil(2 * slowness) + 2);
    // Silence came before, so that the first frame in gives a frame out.
    this.#filled = 2 * this.#half - 1;
    this.#at = this.#half - 1;
  }

  /** How late the sound comes out, in samples of the input. */
  get delay() {
    return this.#half;
  }

  /** So many samples of input are wanted before `outputs` can come. */
  inputsFor(outputs: number): number {
    const newest = Math.floor(this.#at + (outputs - 1) * this.step) + this.#half;
    return Math.max(0, newest + 1 - this.#filled);
  }

  /** Takes `count` samples, writes what can be written to `output`, and returns how many that was. */
  process(input: Int16Array, count: number, output: Int16Array): number {
    const line = this.#line;
    for (let index = 0; index < count; index++) line[this.#filled + index] = input[index]!;
    this.#filled += count;
    let written = 0;
    let at = this.#at;
    for (; Math.floor(at) + this.#half < this.#filled && written < output.length; at += this.step)
      output[written++] = this.#value(at);
    const used = Math.min(Math.floor(at) - (this.#half - 1), this.#filled);
    line.copyWithin(0, used, this.#filled);
    this.#filled -= used;
    this.#at = at - used;
    return written;
  }

  #value(at: number): number {
    const left = Math.floor(at);
    const phase = (at - left) * PHASES;
    const below = Math.floor(phase);
    const share = phase - below;
    const taps = 2 * this.#half;
    const first = below * taps;
    const from = left - this.#half + 1;
    const line = this.#line;
    const table = this.#table;
    // No phase, no filter: the sample itself.
    if (phase === 0 && table[first + this.#half - 1] === 1) return line[left]!;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const a = table[first + tap]!;
      sum += line[from + tap]! * (a + (table[first + taps + tap]! - a) * share);
    }
    return sum >= 32767 ? 32767 : sum <= -32768 ? -32768 : Math.round(sum);
  }
}

/** `cutoff`: of the input's half rate; 1 passes all. */
function design(half: number, cutoff: number): Float64Array {
  const taps = 2 * half;
  const table = new Float64Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = tap - (half - 1) - phase / PHASES;
      const x = time / half;
      const window = Math.abs(x) >= 1 ? 0 : bessel0(BETA * Math.sqrt(1 - x * x)) / bessel0(BETA);
      const coefficient = cutoff * sinc(cutoff * time) * window;
      table[phase * taps + tap] = coefficient;
      sum += coefficient;
    }
    // Each phase passes a constant unchanged.
    for (let tap = 0; tap < taps; tap++) table[phase * taps + tap]! /= sum;
  }
  return table;
}

/** Exact zeros at whole numbers, so that a filter without phase is none. */
const sinc = (x: number) => (x === 0 ? 1 : Number.isInteger(x) ? 0 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Modified Bessel function of the first kind, order 0, by its series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
