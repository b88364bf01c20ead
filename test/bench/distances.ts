/** How far a heard sound is from the one that should have been heard: by its samples, and by its spectrum. */

/** Segmental SNR is cut to this, so that a perfect or a hopeless part does not decide alone. dB. */
const LEAST_SNR = -10;
const MOST_SNR = 35;
/** Root mean square below which nobody speaks (−50 dBFS). */
const QUIET = 100;
/** The window of the spectrum, and the step to the next. Milliseconds. */
const WINDOW_MS = 32;
const STEP_MS = 8;
/** What is fainter than this in one line of the spectrum is not heard: 60 dB under a loud voice. Amplitude. */
const FLOOR = 3;

export interface Distance {
  /** The mean SNR of the parts, dB. More is better. */
  segmentalSnr: number;
  /** The mean log spectral distance within the parts, dB. Less is better. */
  spectral: number;
}

/** From one moment to the other, milliseconds. */
export type Part = readonly [fromMs: number, toMs: number];

/** Only parts in which somebody speaks are taken. Each counts as much as another, short or long. */
export function distance(clean: Int16Array, heard: Int16Array, rate: number, parts: readonly Part[]): Distance {
  const inSamples = (ms: number) => Math.round((ms * rate) / 1000);
  const spoken = parts
    .map(([fromMs, toMs]) => [inSamples(fromMs), Math.min(clean.length, inSamples(toMs))] as const)
    .filter(([from, to]) => isSpoken(clean, from, to));
  return {
    segmentalSnr: mean(spoken.map(([from, to]) => snr(clean, heard, from, to))),
    spectral: mean(spoken.map(([from, to]) => spectralDistance(clean, heard, rate, from, to))),
  };
}

function isSpoken(clean: Int16Array, from: number, to: number): boolean {
  let energy = 0;
  for (let index = from; index < to; index++) energy += clean[index]! ** 2;
  return energy > (to - from) * QUIET ** 2;
}

function snr(clean: Int16Array, heard: Int16Array, from: number, to: number): number {
  let signal = 0;
  let noise = 1e-9;
  for (let index = from; index < to; index++) {
    signal += clean[index]! ** 2;
    noise += (clean[index]! - (heard[index] ?? 0)) ** 2;
  }
  return Math.max(LEAST_SNR, Math.min(MOST_SNR, 10 * Math.log10(signal / noise)));
}

/** Windows that lie within the part; one at its beginning where it is shorter. */
function spectralDistance(clean: Int16Array, heard: Int16Array, rate: number, from: number, to: number): number {
  const length = (rate * WINDOW_MS) / 1000;
  const transform = spectrum(length);
  const distances: number[] = [];
  for (let at = from; at === from || at + length <= to; at += (rate * STEP_MS) / 1000) {
    const one = transform(clean, at);
    const other = transform(heard, at);
    let sum = 0;
    for (let line = 1; line < one.length; line++) sum += (one[line]! - other[line]!) ** 2;
    distances.push(Math.sqrt(sum / (one.length - 1)));
  }
  return mean(distances);
}

/** The power of each line under a Hann window, dB; `length` is a power of two. */
export function spectrum(length: number): (samples: Int16Array, at: number) => Float64Array {
  const real = new Float64Array(length);
  const imaginary = new Float64Array(length);
  const window = Float64Array.from({ length }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / length));
  const floor = ((FLOOR * length) / 4) ** 2;
  return (samples, at) => {
    for (let index = 0; index < length; index++) real[index] = (samples[at + index] ?? 0) * window[index]!;
    imaginary.fill(0);
    fourier(real, imaginary);
    return Float64Array.from({ length: length / 2 }, (_, line) => {
      return 10 * Math.log10(real[line]! ** 2 + imaginary[line]! ** 2 + floor);
    });
  };
}

/** In place, radix 2. */
function fourier(real: Float64Array, imaginary: Float64Array) {
  const { length } = real;
  for (let index = 1, reversed = 0; index < length; index++) {
    let bit = length >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (index >= reversed) continue;
    [real[index], real[reversed]] = [real[reversed]!, real[index]!];
    [imaginary[index], imaginary[reversed]] = [imaginary[reversed]!, imaginary[index]!];
  }
  for (let size = 2; size <= length; size *= 2) {
    for (let turn = 0; turn < size / 2; turn++) {
      const cosine = Math.cos((-2 * Math.PI * turn) / size);
      const sine = Math.sin((-2 * Math.PI * turn) / size);
      for (let low = turn; low < length; low += size) {
        const high = low + size / 2;
        const re = real[high]! * cosine - imaginary[high]! * sine;
        const im = real[high]! * sine + imaginary[high]! * cosine;
        real[high] = real[low]! - re;
        imaginary[high] = imaginary[low]! - im;
        real[low]! += re;
        imaginary[low]! += im;
      }
    }
  }
}

function mean(values: readonly number[]): number {
  if (values.length === 0) throw new Error('nobody speaks in what is compared');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
