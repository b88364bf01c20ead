/** Listens to what each side recorded: is the other side's marker tone in it, and speech behind it. */
import { writeFileSync } from 'node:fs';
import { readWav, wavHeader } from '../../hal/audio/wav.ts';
import { decibels, sine, toneLevel } from '../sim/tone.ts';

/** Each voice begins with a tone of its own, so that an ear and a machine can tell who was heard. */
export const MARKERS = { visitor: 850, desk: 1250, page: 1650 } as const;
const MARKER_SECONDS = 0.5;
const FULL_SCALE = 32_768;

/** A marker tone followed by a recording of speech. */
export function markedSpeech(speech: string, hz: number, into: string) {
  const { samples, rate } = readWav(speech);
  const marker = sine(hz, 8_000, rate, MARKER_SECONDS);
  const joined = new Int16Array(marker.length + samples.length);
  joined.set(marker);
  joined.set(samples, marker.length);
  writeFileSync(into, Buffer.concat([wavHeader(rate, joined.byteLength), Buffer.from(joined.buffer)]));
}

export interface Hearing {
  seconds: number;
  /** Level of the loudest quarter second, dB below full scale. */
  speechDb: number;
  /** The marker tone at its loudest, dB below full scale. */
  markerDb(hz: number): number;
}

export function listen(file: string): Hearing {
  const { samples, rate } = readWav(file);
  const block = rate / 4;
  const blocks: Int16Array[] = [];
  for (let from = 0; from + block <= samples.length; from += block / 2)
    blocks.push(samples.subarray(from, from + block));
  const loudest = (measure: (part: Int16Array) => number) => Math.max(1e-3, ...blocks.map(measure));
  return {
    seconds: samples.length / rate,
    speechDb: decibels(loudest(rms) / FULL_SCALE),
    markerDb: hz => decibels(loudest(part => toneLevel(part, hz, rate)) / FULL_SCALE),
  };
}

const rms = (samples: Int16Array) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
