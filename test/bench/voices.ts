/** Real speech in several voices, made by espeak-ng where it is installed: what the tables of sound are measured with. */
import { spawnSync } from 'node:child_process';
import { versionOf } from './processes.ts';
import { Unavailable } from './sheet.ts';

const TEXT =
  'Hello, this is the loading bay. The truck is blocked by a red car, can you ask the owner to move it, please? ' +
  'We need two more people down here, because the pallets are heavy. I will wait next to gate number four.';

/** espeak-ng's voice, words a minute, pitch. Men and women, and a language of other sounds. */
const VOICES = [
  { name: 'en-gb+f3', speed: 155, pitch: 55 },
  { name: 'en-us+m3', speed: 150, pitch: 40 },
  { name: 'en-gb+m7', speed: 135, pitch: 35 },
  { name: 'en-us+f5', speed: 165, pitch: 65 },
  { name: 'de+m1', speed: 150, pitch: 45 },
] as const;

export interface Voice {
  name: string;
  samples: Int16Array;
}

/** Each voice says the same text; mono, peaks at −6 dBFS. Throws `Unavailable` without espeak-ng or sox. */
export function voices(rate: number): Voice[] {
  const missing = ['espeak-ng', 'sox'].filter(command => versionOf(command, '--version') === undefined);
  if (missing.length > 0) throw new Unavailable(`${missing.join(', ')} missing: apt-get install ${missing.join(' ')}`);
  return VOICES.map(({ name, speed, pitch }) => {
    const spoken = run('espeak-ng', ['-v', name, '-s', `${speed}`, '-p', `${pitch}`, '--stdout', TEXT]);
    const raw = ['-t', 'raw', '-r', `${rate}`, '-c', '1', '-b', '16', '-e', 'signed-integer', '-'];
    const bytes = run(
      'sox',
      ['-D', '-t', 'wav', '--ignore-length', '-', ...raw, 'highpass', '80', 'norm', '-6'],
      spoken,
    );
    return { name, samples: new Int16Array(Uint8Array.from(bytes).buffer, 0, bytes.length >> 1) };
  });
}

function run(command: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 64 * 2 ** 20 });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  return stdout;
}
