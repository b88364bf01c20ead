/** Ogg Opus files are played as they sound; what is damaged is refused with a reason. */
import { expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { checksum } from '../../../firmware/audio/ogg.ts';
import { parseSound } from '../../../firmware/audio/ogg-opus.ts';
import { isBadWav } from '../../../firmware/audio/wav.ts';
import { seeded } from '../../sim/seeded.ts';
import { spoil } from '../../sim/spoil.ts';
import { sine, toneLevel } from '../../sim/tone.ts';

const opus = loadLibopus(16_000)!;

function page(packets: readonly Uint8Array[], granule: number, sequence: number): Buffer {
  const lacing = packets.flatMap(({ length }) => [...Array(Math.floor(length / 255)).fill(255), length % 255]);
  const header = Buffer.alloc(27 + lacing.length);
  header.write('OggS');
  header.writeBigInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(7, 14);
  header.writeUInt32LE(sequence, 18);
  header[26] = lacing.length;
  header.set(lacing, 27);
  const whole = Buffer.concat([header, ...packets]);
  whole.writeUInt32LE(checksum(whole, 0, whole.length), 22);
  return whole;
}

function head(channels = 1, preSkip = 312, family = 0): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.write('OpusHead');
  bytes[8] = 1;
  bytes[9] = channels;
  bytes.writeUInt16LE(preSkip, 10);
  bytes[18] = family;
  return bytes;
}

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
