/**
 * Changes the rate of a stream of samples. Where one rate is twice the other, a half-band filter does it; where it is more than
 * that (8 or 16 kHz of a call, 48 kHz of a card), a half-band filter and a short FIR, which has room from the one's pass band to its
 * image; where it is less, a long polyphase FIR of linear phase, 70 dB down in the stop band.
 *
 * That FIR passes up to 0.425 of the lower rate (3.4 kHz of 8 kHz) and stops at half of it, so that telephone speech goes through
 * whole and nothing folds back. Delay: 3.6 ms where the lower rate is 8 kHz, in proportion less above.
 */
import { Doubler, HALF_BAND_PASS, Halver } from './half-band.ts';

/** Where the pass band ends and the stop band begins, as parts of the lower rate. */
interface Edges {
  pass: number;
  stop: number;
}
const ALONE: Edges = { pass: 0.425, stop: 0.5 };
/** Beside a half-band filter, whose higher rate is the lower of this one: what lies between is the other's to take out. */
const BESIDE_HALF_BAND: Edges = { pass: HALF_BAND_PASS / 2, stop: 1 - HALF_BAND_PASS / 2 };
/** Kaiser's window for 70 dB: J. F. Kaiser, 1974; β and length by his two formulas. */
const ATTENUATION_DB = 70;
const KAISER_BETA = 0.1102 * (ATTENUATION_DB - 8.7);
const KAISER_LENGTH = (ATTENUATION_DB - 7.95) / 14.36;

export interface Resampler {
  readonly from: number;
  readonly to: number;
  /** What comes out lies so far behind what went in. */
  readonly delayMs: number;
  /**
   * Takes `count` samples of `input` (at most `maxInput`) and returns how many it wrote to `output`: over time exactly
   * count × to / from, in each call at most one more than that. A whole frame in gives a whole frame out.
   */
  process(input: Int16Array, count: number, output: Int16Array): number;
  /** As new: no sound left inside. */
  reset(): void;
}

export function resampler(from: number, to: number, maxInput: number): Resampler {
  if (from === to) return identity(from);
  if (to === 2 * from) return new Doubler(from, maxInput);
  if (from === 2 * to) return new Halver(from, maxInput);
  if (to > 2 * from) {
    return new Chained(
      new Doubler(from, maxInput),
      2 * maxInput,
      new Polyphase(2 * from, to, 2 * maxInput, BESIDE_HALF_BAND),
    );
  }
  if (from > 2 * to) {
    const between = Math.ceil((maxInput * 2 * to) / from);
    return new Chained(new Polyphase(from, 2 * to, maxInput, BESIDE_HALF_BAND), between, new Halver(2 * to, between));
  }
  return new Polyphase(from, to, maxInput, ALONE);
}

/** One after the other. */
class Chained implements Resampler {
  readonly from: number;
  readonly to: number;
  readonly delayMs: number;
  readonly #first: Resampler;
  readonly #second: Resampler;
  readonly #between: Int16Array;

  /** `between`: the most samples that the first makes at once. */
  constructor(first: Resampler, between: number, second: Resampler) {
    this.from = first.from;
    this.to = second.to;
    this.delayMs = first.delayMs + second.delayMs;
    this.#first = first;
    this.#second = second;
    this.#between = new Int16Array(between);
  }

  process(input: Int16Array, count: number, output: Int16Array): number {
    return this.#second.process(this.#between, this.#first.process(input, count, this.#between), output);
  }

  reset() {
    this.#first.reset();
    this.#second.reset();
  }
}

function identity(rate: number): Resampler {
  return {
    from: rate,
    to: rate,
    delayMs: 0,
    process(input, count, output) {
      for (let index = 0; index < count; index++) output[index] = input[index]!;
      return count;
    },
    reset() {},
  };
}

class Polyphase implements Resampler {
  readonly from: number;
  readonly to: number;
  readonly delayMs: number;
  /** `up` output instants fall on each input sample of the common rate; every `down`-th is kept. */
  readonly #up: number;
  readonly #down: number;
  /** `up` filters of `taps` coefficients, one after the other, newest sample's coefficient last. */
  readonly #phases: Float64Array;
  readonly #taps: number;
  /** taps − 1 samples of the past, then the input of this call. */
  readonly #line: Float64Array;
  /** Where the next output falls, in 1/up of an input sample from the start of the next input. */
  #next = 0;

  constructor(from: number, to: number, maxInput: number, { pass, stop }: Edges) {
    this.from = from;
    this.to = to;
    const common = greatestCommonDivisor(from, to);
    this.#up = to / common;
    this.#down = from / common;
    const lower = Math.min(from, to);
    this.#taps = Math.ceil((KAISER_LENGTH / (stop - pass)) * (from / lower));
    this.#phases = designed(this.#up, this.#taps, ((pass + stop) / 2) * (lower / from));
    this.#line = new Float64Array(this.#taps - 1 + maxInput);
    this.delayMs = (((this.#up * this.#taps - 1) / 2 / this.#up) * 1000) / from;
  }

  process(input: Int16Array, count: number, output: Int16Array): number {
    const line = this.#line;
    const taps = this.#taps;
    const phases = this.#phases;
    const up = this.#up;
    const past = taps - 1;
    for (let index = 0; index < count; index++) line[past + index] = input[index]!;
    let written = 0;
    let next = this.#next;
    for (; next < count * up; next += this.#down) {
      const newest = Math.floor(next / up);
      const filter = (next - newest * up) * taps;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += line[newest + tap]! * phases[filter + tap]!;
      output[written++] = sum >= 32767 ? 32767 : sum <= -32768 ? -32768 : Math.round(sum);
    }
    this.#next = next - count * up;
    line.copyWithin(0, count, count + past);
    return written;
  }

  reset() {
    this.#line.fill(0);
    this.#next = 0;
  }
}

/** One for each pair of rates, of which a device has few: from 44.1 kHz they are large. */
const designs = new Map<string, Float64Array>();

function designed(up: number, taps: number, cutoff: number): Float64Array {
  const key = `${up} ${taps} ${cutoff}`;
  const phases = designs.get(key) ?? lowPass(up, taps, cutoff);
  designs.set(key, phases);
  return phases;
}

/** A low-pass of `up × taps` coefficients at `up` times the input rate, cut into its phases. `cutoff`: of the input rate. */
export function lowPass(up: number, taps: number, cutoff: number): Float64Array {
  const length = up * taps;
  const centre = (length - 1) / 2;
  const phases = new Float64Array(length);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = (taps - 1 - tap) * up + phase - centre;
      const position = time / (centre + 1);
      const window = bessel0(KAISER_BETA * Math.sqrt(1 - position * position)) / bessel0(KAISER_BETA);
      const coefficient = 2 * cutoff * sinc((2 * cutoff * time) / up) * window;
      phases[phase * taps + tap] = coefficient;
      sum += coefficient;
    }
    // Each phase passes a constant unchanged: no ripple at the rate of the phases.
    for (let tap = 0; tap < taps; tap++) phases[phase * taps + tap]! /= sum;
  }
  return phases;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

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

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
