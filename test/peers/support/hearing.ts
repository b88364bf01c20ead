/** Is the other side's tone in a recording: for how long, how loud, how pure? */
import { writeFileSync } from 'node:fs';
import { readWav, wavHeader } from '../../../hal/audio/wav.ts';
import { decibels, sine, toneLevel, toneSnr } from '../../sim/tone.ts';

/** Blocks in which the tone is looked for. Milliseconds. */
const BLOCK_MS = 100;
/** In a block with less than this the tone is not there: something else is, or silence. */
const THERE_DB = 6;
/** The same among other tones as loud as itself. */
const AMONG_DB = -6;
const FULL_SCALE = 32_768;

export interface Hearing {
  /** Time in which the tone was there. Seconds. */
  seconds: number;
  /** Its amplitude, dB below full scale: the median of those blocks. */
  levelDb: number;
  /** How far it stands above everything else, dB: the median of those blocks. */
  purityDb: number;
}

/** `amongOthers`: other tones are expected, too. */
export function hears(file: string, hz: number, options?: { amongOthers?: boolean }): Hearing {
  const { samples, rate } = readWav(file);
  return hearsIn(samples, rate, hz, options);
}

/** `hears` in samples of 16 bits, mono. */
export function hearsIn(samples: Int16Array, rate: number, hz: number, { amongOthers = false } = {}): Hearing {
  const block = (rate * BLOCK_MS) / 1000;
  const levels: number[] = [];
  const purities: number[] = [];
  for (let from = 0; from + block <= samples.length; from += block) {
    const part = samples.subarray(from, from + block);
    const purity = toneSnr(part, hz, rate);
    if (!(purity > (amongOthers ? AMONG_DB : THERE_DB))) continue;
    purities.push(purity);
    levels.push(decibels(toneLevel(part, hz, rate) / FULL_SCALE));
  }
  return { seconds: (purities.length * BLOCK_MS) / 1000, levelDb: median(levels), purityDb: median(purities) };
}

/** Writes a tone into `file`, `levelDb` below full scale. A whole number of periods, so that it can be looped. */
export function writeTone(file: string, tone: { hz: number; levelDb: number; rate: number; seconds: number }) {
  const samples = sine(tone.hz, FULL_SCALE * 10 ** (tone.levelDb / 20), tone.rate, tone.seconds);
  writeFileSync(file, Buffer.concat([wavHeader(tone.rate, samples.byteLength), Buffer.from(samples.buffer)]));
}

function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NEGATIVE_INFINITY;
}
