/** Sounds that a benchmark leaves behind for ears and eyes: a WAV, and beside it its spectrogram where sox is installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wavHeader } from '../../hal/audio/wav.ts';

/** `name` may have blanks and signs; `folder` undefined: nothing is kept. */
export function keep(folder: string | undefined, name: string, rate: number, samples: Int16Array) {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll(/[^\w.+-]+/g, '-')}.wav`);
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  writeFileSync(file, Buffer.concat([wavHeader(rate, bytes.length), bytes]));
  // Without sox there is the WAV alone.
  const picture = ['-n', 'spectrogram', '-x', '1600', '-t', name, '-o', file.replace(/wav$/, 'png')];
  spawnSync('sox', [file, ...picture], { stdio: 'ignore' });
}
