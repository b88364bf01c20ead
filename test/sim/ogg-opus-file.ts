/** Ogg Opus files as others would write them: for what reads them here, and for opusdec. */
import type { Opus } from '../../firmware/audio/codecs/opus.ts';
import { OPUS_CLOCK_RATE } from '../../firmware/audio/codecs/opus.ts';
import { checksum } from '../../firmware/audio/ogg.ts';

/** A page of whole packets. */
export function page(packets: readonly Uint8Array[], granule: number, sequence: number): Buffer {
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

/** The packet that says what follows (RFC 7845 §5.1). */
export function head(channels = 1, preSkip = 312, family = 0): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.write('OpusHead');
  bytes[8] = 1;
  bytes[9] = channels;
  bytes.writeUInt16LE(preSkip, 10);
  bytes[18] = family;
  return bytes;
}

const PRE_SKIP = 312;
const PACKETS_PER_PAGE = 20;

/** RFC 7845 §5.2, without comments. */
function tags(): Buffer {
  const vendor = 'porter';
  const bytes = Buffer.alloc(8 + 4 + vendor.length + 4);
  bytes.write('OpusTags');
  bytes.writeUInt32LE(vendor.length, 8);
  bytes.write(vendor, 12);
  return bytes;
}

/** A whole file of this sound at the rate of `opus`, packets of `packetMs`. */
export function oggOpusFile(opus: Opus, sound: Int16Array, packetMs = 20): Buffer {
  const encoder = opus.encoder({ bitrate: 32_000, complexity: 5, fec: false, expectedLoss: 0 });
  const samples = (opus.rate * packetMs) / 1000;
  const ticks = (OPUS_CLOCK_RATE * packetMs) / 1000;
  const end = PRE_SKIP + (sound.length * OPUS_CLOCK_RATE) / opus.rate;
  const packets: Uint8Array[] = [];
  for (let at = 0; packets.length * ticks < end; at += samples) {
    const frame = new Int16Array(samples);
    frame.set(sound.subarray(at, at + samples));
    const into = new Uint8Array(1500);
    packets.push(into.slice(0, encoder.encode(frame, into)));
  }
  encoder.close();
  const pages = [page([head(1, PRE_SKIP)], 0, 0), page([tags()], 0, 1)];
  for (let from = 0; from < packets.length; from += PACKETS_PER_PAGE) {
    const some = packets.slice(from, from + PACKETS_PER_PAGE);
    pages.push(page(some, Math.min(end, (from + some.length) * ticks), pages.length));
  }
  // The first and the last page say so (RFC 3533 §6).
  for (const [at, flag] of [
    [0, 2],
    [pages.length - 1, 4],
  ] as const) {
    const whole = pages[at]!;
    whole[5] = flag;
    whole.writeUInt32LE(0, 22);
    whole.writeUInt32LE(checksum(whole, 0, whole.length), 22);
  }
  return Buffer.concat(pages);
}
