/** Keys that libspandsp makes are heard, and three hours of espeak-ng's voices press none. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { expect, test } from 'vitest';
import { isBadWav, parseWav } from '../../firmware/audio/wav.ts';
import { keysIn } from '../sim/keys.ts';

const HOURS = 3;
const LANGUAGES = ['en-gb', 'en-us', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'sv', 'cs', 'fi', 'pt', 'ru', 'hu', 'tr'];
const SPEAKERS = ['', '+f1', '+f2', '+f3', '+f4', '+f5', '+m1', '+m3', '+m5', '+m7', '+croak', '+klatt', '+belinda'];
/** Each recording is also taken for one of other rates: slower and deeper, quicker and shriller. */
const RATES = [12_000, 16_000, 20_000, 24_000, 28_000, 32_000];
const WORDS = 110;

test('the keys of libspandsp', () => {
  const library = koffi.load('libspandsp.so.2');
  const state = library.func('void *dtmf_tx_init(void *, void *, void *)')(null, null, null);
  const put = library.func('int dtmf_tx_put(void *, const char *, int)');
  const make = library.func('int dtmf_tx(void *, int16_t *, int)');
  put(state, '123A456B789C*0#D', -1);
  const sound = new Int16Array(8000 * 3);
  expect(make(state, sound, sound.length)).toBeGreaterThan(8000);
  expect(keysIn(sound, 8000).keys).toBe('123A456B789C*0#D');
});

const words = readFileSync(new URL('../../docs/technician.md', import.meta.url), 'utf8')
  .split(/[^\p{L}\p{N}]+/u)
  .filter(word => word !== '');

/** Seconds of this voice are `count` samples at whatever rate they are taken for. */
function spoken(index: number): Int16Array {
  const voice = LANGUAGES[index % LANGUAGES.length]! + SPEAKERS[(index * 7) % SPEAKERS.length]!;
  const speed = String(120 + ((index * 13) % 90));
  const pitch = String(20 + ((index * 37) % 75));
  const text = Array.from({ length: WORDS }, (_, word) => words[(index * WORDS + word) % words.length]).join(' ');
  const { stdout, error } = spawnSync('espeak-ng', ['-v', voice, '-s', speed, '-p', pitch, '--stdout', text], {
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw new Error(`espeak-ng does not run: ${error.message}; apt-get install espeak-ng`);
  const wav = parseWav(stdout);
  if (isBadWav(wav)) throw new Error(wav.malformed);
  const sound = new Int16Array(wav.length);
  wav.read(0, wav.length, sound);
  return sound;
}

test(`${HOURS} hours of voices in ${LANGUAGES.length} languages press no key`, () => {
  let seconds = 0;
  for (let index = 0; seconds < HOURS * 3600; index++) {
    const sound = spoken(index);
    for (const rate of RATES) {
      expect(keysIn(sound, rate).keys, `recording ${index} as ${rate} Hz`).toBe('');
      seconds += sound.length / rate;
    }
  }
});
