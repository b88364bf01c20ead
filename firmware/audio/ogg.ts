/** Ogg (RFC 3533): the packets of the first stream in a file. */

export interface BadOgg {
  malformed: string;
}

export interface OggPackets {
  packets: readonly Uint8Array[];
  /** Of the last page: how far the stream goes, in its own unit. */
  endsAt: bigint;
}

/** Two hours in packets of 20 ms: what a file of tiny packets may cost in memory. */
const MAX_PACKETS = 360_000;
/** RFC 7845 §6: the largest that anybody need take, bytes. */
const MAX_PACKET_BYTES = 61_440;
/** Which packet of a stream holds its comments. */
const COMMENTS = 1;
const HEADER_BYTES = 27;
const CONTINUED = 1;

/** A file cut short ends with its last whole page. */
export function readOgg(bytes: Uint8Array): OggPackets | BadOgg {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: Uint8Array[] = [];
  /** What the last page left unfinished. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let serial: number | undefined;
  let endsAt = -1n;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    if (view.getUint32(at) !== 0x4f676753) return { malformed: `there is no Ogg page at byte ${at}` };
    if (bytes[at + 4] !== 0) return { malformed: `its Ogg version is ${bytes[at + 4]}, only 0 is known` };
    const segments = bytes[at + 26]!;
    let body = at + HEADER_BYTES + segments;
    if (body > bytes.length) break;
    let end = body;
    for (let segment = 0; segment < segments; segment++) end += bytes[at + HEADER_BYTES + segment]!;
    if (end > bytes.length) break;
    if (view.getUint32(at + 22, true) !== checksum(bytes, at, end)) {
      return { malformed: `the Ogg page at byte ${at} is damaged (its checksum is wrong)` };
    }
    serial ??= view.getUint32(at + 14, true);
    // Other streams beside it, or behind it, are not played.
    const isOurs = view.getUint32(at + 14, true) === serial;
    if (isOurs) {
      if ((bytes[at + 5]! & CONTINUED) === 0) {
        begun = [];
        begunBytes = 0;
      }
      const granule = view.getBigInt64(at + 6, true);
      if (granule >= 0n) endsAt = granule;
      for (let segment = 0; segment < segments; segment++) {
        const size = bytes[at + HEADER_BYTES + segment]!;
        const isTooMuch = begunBytes + size > MAX_PACKET_BYTES;
        // Comments may hold a whole picture (RFC 7845 §5.2): their beginning is enough.
        if (isTooMuch && packets.length !== COMMENTS)
          return { malformed: `a packet has more than ${MAX_PACKET_BYTES} bytes` };
        if (size > 0 && !isTooMuch) {
          begun.push(bytes.subarray(body, body + size));
          begunBytes += size;
        }
        body += size;
        // A packet ends with a piece of less than 255 bytes (RFC 3533 §5).
        if (size === 255) continue;
        if (packets.length >= MAX_PACKETS) return { malformed: `it has more than ${MAX_PACKETS} packets` };
        packets.push(begun.length === 1 ? begun[0]! : joined(begun, begunBytes));
        begun = [];
        begunBytes = 0;
      }
    }
    at = end;
  }
  return packets.length === 0 ? { malformed: 'it has no whole Ogg page' } : { packets, endsAt };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0);
  return value;
});

/** Of a page, with its own place taken as zero (RFC 3533 §6). */
export function checksum(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const isItself = at >= from + 22 && at < from + 26;
    value = (value << 8) ^ table[((value >>> 24) ^ (isItself ? 0 : bytes[at]!)) & 0xff]!;
  }
  return value >>> 0;
}
