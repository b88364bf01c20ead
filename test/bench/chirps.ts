/** Sounds that a telephone lets through and a computer finds again: chirps, and where they are in a recording. */
import { writeFileSync } from 'node:fs';
import { wavHeader } from '../../hal/audio/wav.ts';

export const RATE = 16_000;
const CHIRP_MS = 80;
const AMPLITUDE = 9_000;
const RAMP_MS = 5;
/** From one chirp to the next. Milliseconds. */
const EVERY_MS = 350;
/** From and to, Hz. Four that differ, so that a late one is not taken for the one after it. */
const SWEEPS: readonly (readonly [from: number, to: number])[] = [
  [500, 1500],
  [3000, 1600],
  [1600, 3000],
  [1500, 500],
];
/** No sound is later than this: one round of sweeps. Milliseconds. */
export const LONGEST_MS = EVERY_MS * SWEEPS.length;
/** Of the loudest likeness that is possible; noise and other chirps stay below 0.35, codecs above 0.6. */
const LEAST_LIKENESS = 0.5;

const inSamples = (ms: number) => Math.round((ms * RATE) / 1000);

function chirp(kind: number): Float64Array {
  const [from, to] = SWEEPS[kind]!;
  const length = inSamples(CHIRP_MS);
  const ramp = inSamples(RAMP_MS);
  return Float64Array.from({ length }, (_, index) => {
    const seconds = index / RATE;
    const phase = 2 * Math.PI * (from * seconds + ((to - from) * seconds * seconds * RATE) / (2 * length));
    const edge = Math.min(1, index / ramp, (length - 1 - index) / ramp);
    return Math.sin(phase) * edge;
  });
}

const kinds = SWEEPS.map((_, kind) => chirp(kind));

/** One round of the sweeps; it can be looped. */
export function chirpRound(): Int16Array {
  const samples = new Int16Array(inSamples(LONGEST_MS));
  kinds.forEach((shape, kind) => {
    const at = inSamples(kind * EVERY_MS + (EVERY_MS - CHIRP_MS) / 2);
    for (let index = 0; index < shape.length; index++) samples[at + index] = Math.round(AMPLITUDE * shape[index]!);
  });
  return samples;
}

export function writeWav(file: string, samples: Int16Array) {
  writeFileSync(
    file,
    Buffer.concat([wavHeader(RATE, samples.byteLength), Buffer.from(samples.buffer, 0, samples.byteLength)]),
  );
}

export interface Found {
  kind: number;
  /** When it begins. Milliseconds. */
  atMs: number;
}

/** Every chirp in the samples, in order; the first of them was heard at `startMs`. */
export function findChirps(samples: Int16Array, startMs = 0): Found[] {
  const found: Found[] = [];
  for (const [kind, shape] of kinds.entries()) {
    const likeness = correlate(samples, shape);
    const around = inSamples(EVERY_MS) - 1;
    for (let at = 0; at < likeness.length; at++) {
      if (likeness[at]! < LEAST_LIKENESS) continue;
      let best = at;
      const end = Math.min(likeness.length, at + around);
      for (let other = at; other < end; other++) if (likeness[other]! > likeness[best]!) best = other;
      found.push({ kind, atMs: startMs + ((best + summit(likeness, best)) * 1000) / RATE });
      at = best + around;
    }
  }
  return found.sort((one, other) => one.atMs - other.atMs);
}

/** For each chirp that was spoken, how much later it was heard; `undefined` for one that was not. Milliseconds. */
export function delays(spoken: readonly Found[], heard: readonly Found[]): (number | undefined)[] {
  return spoken.map(({ kind, atMs }) => {
    const next = heard.find(other => other.kind === kind && other.atMs >= atMs);
    return next === undefined || next.atMs - atMs >= LONGEST_MS ? undefined : next.atMs - atMs;
  });
}

/** Normalised cross-correlation at every sample: 1 is the chirp itself, at whatever loudness. */
function correlate(samples: Int16Array, shape: Float64Array): Float64Array {
  const result = new Float64Array(Math.max(0, samples.length - shape.length + 1));
  let shapeEnergy = 0;
  for (const value of shape) shapeEnergy += value * value;
  let energy = 0;
  for (let index = 0; index < shape.length && index < samples.length; index++) energy += samples[index]! ** 2;
  // Silence, and what a codec makes of it, is like nothing.
  const floor = shape.length * 50 ** 2;
  for (let at = 0; at < result.length; at++) {
    if (energy > floor) {
      let sum = 0;
      for (let index = 0; index < shape.length; index++) sum += samples[at + index]! * shape[index]!;
      result[at] = sum / Math.sqrt(energy * shapeEnergy);
    }
    energy += (samples[at + shape.length] ?? 0) ** 2 - samples[at]! ** 2;
  }
  return result;
}

/** Where the parabola through a maximum and its neighbours is highest, −0.5 … 0.5 of a sample. */
function summit(values: Float64Array, at: number): number {
  const before = values[at - 1] ?? values[at]!;
  const after = values[at + 1] ?? values[at]!;
  const curve = before - 2 * values[at]! + after;
  return curve === 0 ? 0 : (before - after) / (2 * curve);
}
