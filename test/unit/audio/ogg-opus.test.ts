/** Ogg Opus files are played as they sound; what is damaged is refused with a reason. */
import { expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { checksum } from '../../../firmware/audio/ogg.ts';
import { parseSound } from '../../../firmware/audio/ogg-opus.ts';
import { isBadWav } from '../../../firmware/audio/wav.ts';
import { head, page } from '../../sim/ogg-opus-file.ts';
import { seeded } from '../../sim/seeded.ts';
import { spoil } from '../../sim/spoil.ts';
import { sharpestBend, sine, toneLevel } from '../../sim/tone.ts';

const opus = loadLibopus(16_000)!;

/** Half a second of 700 Hz, ten packets a page. */
function file(first: Buffer = head(), tags = 'OpusTags'): Buffer {
  const encoder = opus.encoder({ bitrate: 24_000, complexity: 5, fec: false, expectedLoss: 0 });
  const sound = sine(700, 8000, 16_000, 0.6);
  const pages = [page([first], 0, 0), page([Buffer.from(tags)], 0, 1)];
  for (let from = 0; from < 30; from += 10) {
    const packets = Array.from({ length: 10 }, (_, index) => {
      const into = new Uint8Array(1500);
      const at = (from + index) * 320;
      return into.slice(0, encoder.encode(sound.subarray(at, at + 320), into));
    });
    // The file says that it ends before its last packet does.
    pages.push(page(packets, from === 20 ? 312 + 24_000 : (from + 10) * 960, pages.length));
  }
  encoder.close();
  return Buffer.concat(pages);
}

test('half a second of a tone is that, without what comes before it', () => {
  const sound = parseSound(file(), opus);
  if (isBadWav(sound)) throw new Error(sound.malformed);
  expect(sound).toMatchObject({ rate: 16_000, length: 8000, encoding: 'Opus' });
  const heard = new Int16Array(8000);
  for (let at = 0; at < 8000; at += 160) sound.read(at, 160, heard.subarray(at));
  sound.close?.();
  expect(toneLevel(heard.subarray(1000, 7000), 700, 16_000)).toBeGreaterThan(7000);
});

test('a picture among the comments is passed over', () => {
  const pieces: Buffer[] = [];
  const comments = Buffer.alloc(200_000);
  comments.write('OpusTags');
  // A packet that goes on over many pages, each but the last of 255 whole pieces.
  for (let at = 0; at < comments.length; at += 255 * 255) {
    const piece = page([comments.subarray(at, at + 255 * 255)], 0, 1);
    const isWhole = at + 255 * 255 < comments.length;
    // `page` ends each packet: a whole page of pieces goes on, so its last, empty one is taken out.
    const bytes = isWhole ? Buffer.concat([piece.subarray(0, 27 + 255), piece.subarray(27 + 256)]) : piece;
    if (isWhole) bytes[26] = 255;
    if (at > 0) bytes[5] = 1;
    bytes.writeUInt32LE(0, 22);
    bytes.writeUInt32LE(checksum(bytes, 0, bytes.length), 22);
    pieces.push(bytes);
  }
  const whole = file();
  const tagsAt = whole.indexOf('OggS', 4);
  const soundAt = whole.indexOf('OggS', tagsAt + 4);
  const sound = parseSound(Buffer.concat([whole.subarray(0, tagsAt), ...pieces, whole.subarray(soundAt)]), opus);
  if (isBadWav(sound)) throw new Error(sound.malformed);
  expect(sound.length).toBe(8000);
  sound.close?.();
});

test.each<[string, Buffer, RegExp]>([
  ['another codec', file(Buffer.from('\u0001vorbis and what follows')), /not Opus/],
  ['six channels', file(head(6, 312, 1)), /more than two channels/],
  ['no tags', file(head(), 'nothing!'), /OpusTags/],
  ['one bit wrong', flipped(file(), 400), /checksum/],
  ['nothing but a beginning', file().subarray(0, 30), /no whole Ogg page/],
  ['no sound', Buffer.concat([page([head()], 0, 0), page([Buffer.from('OpusTags')], 0, 1)]), /no sound/],
])('a file with %s is refused', (_, bytes, why) => {
  expect(parseSound(bytes, opus)).toEqual({ malformed: expect.stringMatching(why) });
});

test('without an Opus library it says so', () => {
  expect(parseSound(file(), undefined)).toEqual({ malformed: 'this device has no Opus library' });
});

test('a file cut short plays as far as it goes', () => {
  const whole = file();
  const sound = parseSound(whole.subarray(0, whole.length - 100), opus);
  if (isBadWav(sound)) throw new Error(sound.malformed);
  expect(sound.length).toBeGreaterThan(6000);
  expect(sound.length).toBeLessThan(8000);
  sound.close?.();
});

test('a packet that is no Opus is bridged, without a click', () => {
  const bytes = file();
  // The packets of the second page of sound begin behind the lacing; the fifth is replaced by one that cannot be read.
  const at = bytes.indexOf('OggS', bytes.indexOf('OggS', bytes.indexOf('OggS', bytes.indexOf('OggS', 4) + 4) + 4) + 4);
  const sizes = bytes.subarray(at + 27, at + 37);
  const packet = at + 37 + sizes.subarray(0, 5).reduce((sum, size) => sum + size, 0);
  // Two frames of one size (RFC 6716 §3.2.3) that fill an odd number of bytes, or a length that is not there.
  bytes[packet] = (bytes[packet]! & 0xfc) | 2;
  bytes.fill(0xff, packet + 1, packet + sizes[5]!);
  repair(bytes);
  const heard = play(bytes);
  expect(sharpestBend(heard.subarray(1000, 7900))).toBeLessThan(2 * sharpestBend(play(file()).subarray(1000, 7900)));
  expect(toneLevel(heard.subarray(5000, 7900), 700, 16_000)).toBeGreaterThan(6000);
});

function play(bytes: Buffer): Int16Array {
  const sound = parseSound(bytes, opus);
  if (isBadWav(sound)) throw new Error(sound.malformed);
  const heard = new Int16Array(sound.length);
  sound.read(0, sound.length, heard);
  sound.close?.();
  return heard;
}

test('5,000 spoiled files are refused or played, and never throw', () => {
  const random = seeded(12);
  const good = file();
  const frame = new Int16Array(160);
  let played = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(spoil(good, random));
    // Half of them with checksums that are right again, to come further.
    if (round % 2 === 0) repair(bytes);
    const sound = parseSound(bytes, opus);
    if (isBadWav(sound)) continue;
    played++;
    for (let at = 0; at < Math.min(sound.length, 1600); at += 160) sound.read(at, 160, frame);
    sound.close?.();
  }
  expect(played).toBeGreaterThan(100);
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}

function repair(bytes: Buffer) {
  for (let at = bytes.indexOf('OggS'); at >= 0; at = bytes.indexOf('OggS', at + 1)) {
    if (at + 27 > bytes.length) return;
    const segments = bytes[at + 26]!;
    const end = at + 27 + segments + bytes.subarray(at + 27, at + 27 + segments).reduce((sum, size) => sum + size, 0);
    if (end <= bytes.length) bytes.writeUInt32LE(checksum(bytes, at, end), at + 22);
  }
}
