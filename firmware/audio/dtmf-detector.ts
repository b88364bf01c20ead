/**
 * Hears telephone keys in sound (ITU-T Q.23, Q.24): two tones of the eight, steady, and nothing beside them. Speech
 * has two such tones for a moment now and then, but not alone: what is left after the best-fitting pair is taken out
 * of 30 ms tells a key from a voice.
 */
import { FRAME_MS, frameSamples } from './frame.ts';

/** ITU-T Q.23 §6.1, Hz: the four rows, then the four columns. */
const TONES: readonly number[] = [697, 770, 852, 941, 1209, 1336, 1477, 1633];
const KEYS: readonly string[] = ['123A', '456B', '789C', '*0#D'];

/** Frames that are looked at together. A key of 40 ms (Q.24 §3.3) covers so many whole ones, wherever it begins. */
const SPAN = 3;
/** Off the nominal frequency: ±1.5 % must be taken, ±3.5 % must not (Q.24 §3.1). */
const MAX_DETUNE = 0.023;
/** One tone against the other, dB, either way (Q.24 §3.2 has 4 to 10). */
const MAX_TWIST_DB = 8;
/** Of the energy, what may be no key: noise at 15 dB leaves 3 %, and codecs some more. */
const MAX_REST = 0.14;
/**
 * Surely a key: so pure once, or nearly so pure some times, as Opus leaves it. Voices that buzz like two reeds stay
 * above both, for however long.
 */
const PURE_REST = 0.042;
const NEARLY_PURE_REST = 0.1;
const NEARLY_PURE_SPANS = 4;
/** The weaker tone, dB below a full-scale sine. */
const MIN_DBFS = -46;
/** A key is over when it has not been heard so often: a pause of 40 ms always, a break of 10 ms never (Q.24 §3.4). */
const MISSES = 5;

const MIN_AMPLITUDE = 32_768 * 10 ** (MIN_DBFS / 20);
const MAX_TWIST = 10 ** (MAX_TWIST_DB / 20);
/** At the largest detune a window of two frames still sees this much of a tone's energy. */
const SEEN_AT_LEAST = 0.08;

export class DtmfDetector {
  readonly #rate: number;
  readonly #size: number;
  readonly #onKey: (key: string, durationMs: number) => void;
  /** The last frames, the oldest first. */
  readonly #samples: Float64Array;
  /** Energy of each of them. */
  readonly #energy = new Float64Array(SPAN);
  /** Each tone's part of each frame, complex: `[tone * SPAN + frame]`. */
  readonly #real = new Float64Array(TONES.length * SPAN);
  readonly #imaginary = new Float64Array(TONES.length * SPAN);
  /** Of each tone: 2 cos ω, and the turns by ω, by a frame less one sample, and by a frame. */
  readonly #doubleCos: Float64Array;
  readonly #turns: readonly { one: Turn; last: Turn; frame: Turn }[];
  readonly #fit = new PairFit();

  #frames = 0;
  /** Of the energy, what the pair found last leaves. */
  #rest = 0;
  #key = '';
  #heardFrames = 0;
  /** Spans of this key that were nearly pure. */
  #nearlyPure = 0;
  /** It is a key and no voice. */
  #isSure = false;
  #missed = 0;

  /** `onKey` is told of each key once, at its end. `rate`: samples per second of the frames. */
  constructor(rate: number, onKey: (key: string, durationMs: number) => void) {
    this.#rate = rate;
    this.#size = frameSamples(rate);
    this.#onKey = onKey;
    this.#samples = new Float64Array(SPAN * this.#size);
    this.#turns = TONES.map(hz => {
      const angle = (2 * Math.PI * hz) / rate;
      return { one: turn(angle), last: turn(angle * (this.#size - 1)), frame: turn(angle * this.#size) };
    });
    this.#doubleCos = Float64Array.from(this.#turns, ({ one }) => 2 * one.cos);
  }

  /** One frame of sound, in its order. Allocates nothing. */
  process(frame: Int16Array) {
    this.#take(frame);
    const key = this.#frames < SPAN ? '' : this.#keyNow();
    if (key !== '' && key === this.#key) {
      // What was missed between was heard after all.
      this.#heardFrames += 1 + this.#missed;
      this.#missed = 0;
      this.#count();
      return;
    }
    if (this.#key !== '' && (key !== '' || ++this.#missed >= MISSES)) this.#end();
    if (key === '') return;
    this.#key = key;
    this.#heardFrames = SPAN;
    this.#missed = 0;
    this.#nearlyPure = 0;
    this.#isSure = false;
    this.#count();
  }

  /** The sound is interrupted: a key that sounded is over. */
  reset() {
    if (this.#key !== '') this.#end();
    this.#frames = 0;
  }

  #count() {
    if (this.#rest <= NEARLY_PURE_REST) this.#nearlyPure++;
    if (this.#rest <= PURE_REST || this.#nearlyPure >= NEARLY_PURE_SPANS) this.#isSure = true;
  }

  #end() {
    const key = this.#key;
    this.#key = '';
    if (this.#isSure) this.#onKey(key, this.#heardFrames * FRAME_MS);
  }

  #take(frame: Int16Array) {
    const size = this.#size;
    const samples = this.#samples;
    samples.copyWithin(0, size);
    this.#energy.copyWithin(0, 1);
    this.#real.copyWithin(0, 1);
    this.#imaginary.copyWithin(0, 1);
    const from = (SPAN - 1) * size;
    let energy = 0;
    for (let index = 0; index < size; index++) {
      const value = frame[index]!;
      samples[from + index] = value;
      energy += value * value;
    }
    this.#energy[SPAN - 1] = energy;
    for (let tone = 0; tone < TONES.length; tone++) this.#goertzel(tone, from, size);
    if (this.#frames < SPAN) this.#frames++;
  }

  /** What of the tone is in the last frame, seen from its first sample. */
  #goertzel(tone: number, from: number, size: number) {
    const samples = this.#samples;
    const coefficient = this.#doubleCos[tone]!;
    let first = 0;
    let second = 0;
    for (let index = from; index < from + size; index++) {
      const value = samples[index]! + coefficient * first - second;
      second = first;
      first = value;
    }
    const { one, last } = this.#turns[tone]!;
    const real = first - second * one.cos;
    const imaginary = second * one.sin;
    const at = tone * SPAN + SPAN - 1;
    this.#real[at] = real * last.cos + imaginary * last.sin;
    this.#imaginary[at] = imaginary * last.cos - real * last.sin;
  }

  /** The key that sounds through all frames, or none. */
  #keyNow(): string {
    const energy = this.#energy[0]! + this.#energy[1]! + this.#energy[2]!;
    if (energy < MIN_AMPLITUDE * MIN_AMPLITUDE * this.#size * SPAN) return '';
    const row = this.#strongest(0, 4);
    const column = this.#strongest(4, 8);
    if (row < 0 || column < 0) return '';
    const seen = (2 * (this.#power(row) + this.#power(column))) / (2 * this.#size);
    if (seen < SEEN_AT_LEAST * (this.#energy[1]! + this.#energy[2]!)) return '';
    const rowHz = this.#frequency(row);
    const columnHz = this.#frequency(column);
    if (rowHz === 0 || columnHz === 0) return '';
    const fit = this.#fit;
    fit.solve(this.#samples, rowHz / this.#rate, columnHz / this.#rate);
    if (fit.rest > MAX_REST * energy) return '';
    this.#rest = fit.rest / energy;
    const { low, high } = fit;
    if (Math.min(low, high) < MIN_AMPLITUDE || low > high * MAX_TWIST || high > low * MAX_TWIST) return '';
    return KEYS[row]![column - 4]!;
  }

  /** That of a group which is twice as strong as any other of it, or −1. */
  #strongest(from: number, to: number): number {
    let best = -1;
    let power = 0;
    let next = 0;
    for (let tone = from; tone < to; tone++) {
      const its = this.#power(tone);
      if (its > power) {
        next = power;
        power = its;
        best = tone;
      } else if (its > next) next = its;
    }
    return power > 2 * next ? best : -1;
  }

  /** Of the last two frames together, square of the sum. */
  #power(tone: number): number {
    const { cos, sin } = this.#turns[tone]!.frame;
    const at = tone * SPAN + SPAN - 1;
    const real = this.#real[at - 1]! + this.#real[at]! * cos + this.#imaginary[at]! * sin;
    const imaginary = this.#imaginary[at - 1]! + this.#imaginary[at]! * cos - this.#real[at]! * sin;
    return real * real + imaginary * imaginary;
  }

  /**
   * By how much its phase turns from one frame to the next: to a hertz, where a filter of 20 ms could tell only tens.
   * 0 where that is not the tone.
   */
  #frequency(tone: number): number {
    const { cos, sin } = this.#turns[tone]!.frame;
    const at = tone * SPAN;
    const real = this.#real;
    const imaginary = this.#imaginary;
    const oldReal = real[at]! + real[at + 1]! * cos + imaginary[at + 1]! * sin;
    const oldImaginary = imaginary[at]! + imaginary[at + 1]! * cos - real[at + 1]! * sin;
    const newReal = real[at + 1]! + real[at + 2]! * cos + imaginary[at + 2]! * sin;
    const newImaginary = imaginary[at + 1]! + imaginary[at + 2]! * cos - real[at + 2]! * sin;
    // How far it has turned, less what the nominal tone turns.
    const byReal = newReal * oldReal + newImaginary * oldImaginary;
    const byImaginary = newImaginary * oldReal - newReal * oldImaginary;
    const off = Math.atan2(byImaginary * cos - byReal * sin, byReal * cos + byImaginary * sin);
    const hz = TONES[tone]!;
    const offHz = (off * 1000) / (2 * Math.PI * FRAME_MS);
    return Math.abs(offHz) <= hz * MAX_DETUNE ? hz + offHz : 0;
  }
}

interface Turn {
  cos: number;
  sin: number;
}

const turn = (angle: number): Turn => ({ cos: Math.cos(angle), sin: Math.sin(angle) });

/** The two sines of given frequencies that together come nearest to some sound: least squares in four unknowns. */
class PairFit {
  /** Amplitudes, peak. */
  low = 0;
  high = 0;
  /** Energy of what is left. */
  rest = 0;
  /** Cosine and sine of each, at one sample. */
  readonly #wave = new Float64Array(4);
  /** Four rows of the normal equations with their right sides. */
  readonly #rows = new Float64Array(20);
  readonly #right = new Float64Array(4);

  /** Frequencies in turns per sample. */
  solve(samples: Float64Array, low: number, high: number) {
    const wave = this.#wave;
    const rows = this.#rows.fill(0);
    const lowCos = Math.cos(2 * Math.PI * low);
    const lowSin = Math.sin(2 * Math.PI * low);
    const highCos = Math.cos(2 * Math.PI * high);
    const highSin = Math.sin(2 * Math.PI * high);
    wave[0] = 1;
    wave[1] = 0;
    wave[2] = 1;
    wave[3] = 0;
    let energy = 0;
    for (let index = 0; index < samples.length; index++) {
      const value = samples[index]!;
      energy += value * value;
      for (let row = 0; row < 4; row++) {
        const factor = wave[row]!;
        for (let column = row; column < 4; column++) rows[row * 5 + column]! += factor * wave[column]!;
        rows[row * 5 + 4]! += factor * value;
      }
      const a = wave[0]!;
      const b = wave[2]!;
      wave[0] = a * lowCos - wave[1]! * lowSin;
      wave[1] = wave[1]! * lowCos + a * lowSin;
      wave[2] = b * highCos - wave[3]! * highSin;
      wave[3] = wave[3]! * highCos + b * highSin;
    }
    for (let row = 0; row < 4; row++) {
      this.#right[row] = rows[row * 5 + 4]!;
      for (let column = 0; column < row; column++) rows[row * 5 + column] = rows[column * 5 + row]!;
    }
    this.#eliminate();
    this.low = Math.hypot(rows[4]!, rows[9]!);
    this.high = Math.hypot(rows[14]!, rows[19]!);
    this.rest = energy;
    for (let row = 0; row < 4; row++) this.rest -= rows[row * 5 + 4]! * this.#right[row]!;
  }

  /** The solution ends in the right sides. The matrix is near diagonal: no row need change its place. */
  #eliminate() {
    const rows = this.#rows;
    for (let pivot = 0; pivot < 4; pivot++) {
      const scale = 1 / rows[pivot * 6]!;
      for (let column = pivot; column < 5; column++) rows[pivot * 5 + column]! *= scale;
      for (let row = 0; row < 4; row++) {
        if (row === pivot) continue;
        const factor = rows[row * 5 + pivot]!;
        for (let column = pivot; column < 5; column++) rows[row * 5 + column]! -= factor * rows[pivot * 5 + column]!;
      }
    }
  }
}
