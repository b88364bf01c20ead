/** A WAV or Ogg Opus file, read whole and ready to be played. */
import type { Opus } from '../audio/codecs/opus.ts';
import { parseSound } from '../audio/ogg-opus.ts';
import { isBadWav, MAX_WAV_BYTES, type Wav } from '../audio/wav.ts';
import type { Files } from './files.ts';

/** `done` is called once, later. Who is given a sound closes it. */
export function readSound(
  files: Files,
  file: string,
  opus: Opus | undefined,
  done: (sound: Wav | { why: string }) => void,
) {
  files.read(file, MAX_WAV_BYTES, bytes => {
    if ('why' in bytes) return done(bytes);
    const wav = parseSound(bytes, opus);
    done(isBadWav(wav) ? { why: `${file}: ${wav.malformed}` } : wav);
  });
}
