/** What is fuzzed of sound files: WAV of every encoding and Ogg Opus, read and played as the media engine does it. */
import { frameSamples } from '../../../firmware/audio/frame.ts';
import { checksum } from '../../../firmware/audio/ogg.ts';
import { parseSound } from '../../../firmware/audio/ogg-opus.ts';
import { isBadWav, wavHeader } from '../../../firmware/audio/wav.ts';
import { WavPlayer } from '../../../firmware/audio/wav-player.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import { head, page } from '../../sim/ogg-opus-file.ts';
import { below, pick } from './mutate.ts';
import { opus, RATE, someSound, spoiled } from './sounding.ts';
import type { Target } from './targets.ts';

/** Of a file so much is played. Frames of 10 ms. */
const MOST_FRAMES = 30;
/** Format tag and bits of a sample: PCM, float, A-law, µ-law, and one that nobody can play. */
const ENCODINGS = [
  [1, 16],
  [1, 16],
  [1, 8],
  [1, 24],
  [1, 32],
  [3, 32],
  [3, 64],
  [6, 8],
  [7, 8],
  [2, 4],
] as const;

const frame = new Int16Array(frameSamples(RATE));

function play(bytes: Buffer): string {
  const sound = parseSound(bytes, opus);
  if (isBadWav(sound)) {
    if (sound.malformed.length === 0) throw new Error('refused without a reason');
    return 'refused';
  }
  const player = new WavPlayer(sound, RATE);
  let frames = 0;
  while (frames < MOST_FRAMES && player.read(frame)) frames++;
  player.close();
  return 'played';
}

const target = (name: string, input: (random: Random) => Buffer): Target => ({
  name,
  share: 1,
  repeatable: true,
  input,
  feed: play,
});

export const wav = target('wav', random => {
  const body = someSound(random, 2 * below(random, 400));
  const header = Buffer.from(wavHeader(pick(random, [8_000, 16_000, 16_000, 16_000, 44_100, 48_000]), body.length));
  const [tag, bits] = pick(random, ENCODINGS);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(pick(random, [1, 1, 2, 6]), 22);
  header.writeUInt16LE(bits, 34);
  return spoiled(Buffer.concat([header, body]), random);
});

/** What libopus makes of some packets is its affair; that they are taken for packets is ours. */
export const oggOpus = target('ogg opus', random => {
  const packets = Array.from({ length: below(random, 6) }, () =>
    Buffer.from(someSound(random, 1 + below(random, 120))),
  );
  const pages = [[head()], [Buffer.from('OpusTags')], packets].map((each, index) =>
    page(each, index < 2 ? 0 : 960 * each.length, index),
  );
  // Half of them are spoiled before the checksum is made, to come further.
  const inside = random.next() < 0.5;
  const whole = Buffer.concat(inside ? pages.map(each => mended(spoiled(each, random))) : pages);
  return inside ? whole : spoiled(whole, random);
});

/** With the right checksum, where there is a place for one. */
function mended(page: Buffer): Buffer {
  if (page.length < 27) return page;
  page.writeUInt32LE(checksum(page, 0, page.length), 22);
  return page;
}
