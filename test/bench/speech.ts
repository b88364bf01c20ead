/** Somebody who speaks without end, as far as a benchmark can tell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseWav } from '../../hal/audio/wav.ts';
import type { Bench } from '../peers/support/bench.ts';
import { RATE, writeWav } from './chirps.ts';

const SPEECH = join(import.meta.dirname, '../fixtures/speech/visitor.wav');

/** A few seconds of speech at `RATE`. */
export function speech(): Int16Array {
  const { rate, samples } = parseWav(readFileSync(SPEECH), SPEECH);
  if (rate !== RATE) throw new Error(`${SPEECH} has the rate ${rate}`);
  return samples;
}

/** A WAV at least so long: baresip ends its call with its file. */
export function longSpeech(bench: Bench, seconds: number): string {
  const once = speech();
  const all = new Int16Array(Math.ceil((seconds * RATE) / once.length) * once.length);
  for (let at = 0; at < all.length; at += once.length) all.set(once, at);
  const file = join(bench.room('speech'), 'speech.wav');
  writeWav(file, all);
  return file;
}
