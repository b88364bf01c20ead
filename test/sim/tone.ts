/** Listens to sound as a meter does: how loud one frequency is, how much else there is, where it breaks off. */

/** Amplitude (peak, in sample steps) of `hz` within the samples, by Goertzel's algorithm under a Hann window. */
export function toneLevel(samples: Int16Array, hz: number, rate: number): number {
  const turn = (2 * Math.PI * hz) / rate;
  const coefficient = 2 * Math.cos(turn);
  let first = 0;
  let second = 0;
  let weight = 0;
  for (let index = 0; index < samples.length; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length);
    weight += window;
    const value = samples[index]! * window + coefficient * first - second;
    second = first;
    first = value;
  }
  const power = first * first + second * second - coefficient * first * second;
  return (2 * Math.sqrt(Math.max(0, power))) / weight;
}

export const decibels = (ratio: number): number => 20 * Math.log10(ratio);

/** How much louder the tone is than everything else, dB: the best-fitting sine is taken out, the rest is noise. */
export function toneSnr(samples: Int16Array, hz: number, rate: number): number {
  const turn = (2 * Math.PI * hz) / rate;
  let sines = 0;
  let cosines = 0;
  let total = 0;
  for (let index = 0; index < samples.length; index++) {
    sines += samples[index]! * Math.sin(turn * index);
    cosines += samples[index]! * Math.cos(turn * index);
    total += samples[index]! ** 2;
  }
  const signal = (2 * (sines ** 2 + cosines ** 2)) / samples.length;
  return 10 * Math.log10(signal / Math.max(1e-9, total - signal));
}

/** The same for any length and frequency: the sine that fits best need not go through whole turns. */
export function sineSnr(samples: Int16Array, hz: number, rate: number): number {
  const turn = (2 * Math.PI * hz) / rate;
  let [ss, sc, cc, xs, xc, total] = [0, 0, 0, 0, 0, 0];
  for (let index = 0; index < samples.length; index++) {
    const [sine, cosine, sample] = [Math.sin(turn * index), Math.cos(turn * index), samples[index]!];
    ss += sine * sine;
    sc += sine * cosine;
    cc += cosine * cosine;
    xs += sample * sine;
    xc += sample * cosine;
    total += sample * sample;
  }
  const determinant = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / determinant;
  const b = (xc * ss - xs * sc) / determinant;
  const signal = a * xs + b * xc;
  return 10 * Math.log10(signal / Math.max(1e-9, total - signal));
}

/**
 * The same as `sineSnr`, taken afresh in each `blockMs` and averaged in dB: time that concealment stretched or cut shifts the phase,
 * which an ear does not hear and a single sine over the whole would.
 */
export function blockSnr(samples: Int16Array, hz: number, rate: number, blockMs = 20): number {
  const block = (rate * blockMs) / 1000;
  let sum = 0;
  let blocks = 0;
  for (let from = 0; from + block <= samples.length; from += block) {
    sum += Math.max(-10, Math.min(60, sineSnr(samples.subarray(from, from + block), hz, rate)));
    blocks++;
  }
  return sum / blocks;
}

/** The longest stretch, milliseconds, in which the sound stays under `below` (absolute sample value). */
export function longestGapMs(samples: Int16Array, rate: number, below: number): number {
  let longest = 0;
  let run = 0;
  for (const sample of samples) {
    run = Math.abs(sample) < below ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return (longest * 1000) / rate;
}

/** The largest step from one sample to the next: a click is one far above what the tone itself makes. */
export function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let index = 1; index < samples.length; index++) {
    largest = Math.max(largest, Math.abs(samples[index]! - samples[index - 1]!));
  }
  return largest;
}

/** The sharpest bend: a click is sharper than any of the tone's own, also where it is no step. */
export function sharpestBend(samples: Int16Array): number {
  let sharpest = 0;
  for (let index = 2; index < samples.length; index++) {
    sharpest = Math.max(sharpest, Math.abs(samples[index]! - 2 * samples[index - 1]! + samples[index - 2]!));
  }
  return sharpest;
}

/** `seconds` of a sine. */
export function sine(hz: number, amplitude: number, rate: number, seconds: number): Int16Array {
  const samples = new Int16Array(Math.round(rate * seconds));
  for (let index = 0; index < samples.length; index++) {
    samples[index] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * index) / rate));
  }
  return samples;
}
