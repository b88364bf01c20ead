/** The RTP packet on the wire (RFC 3550 §5.1): reading, with the validity checks of A.1, and writing without allocation. */

export interface RtpHeader {
  /** 0 … 127. */
  payloadType: number;
  marker: boolean;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, in ticks of the payload's clock rate. */
  timestamp: number;
  /** 32 bits. */
  ssrc: number;
}

export interface RtpPacket extends RtpHeader {
  /** A view of the datagram it was read from: copy what must live longer. */
  payload: Uint8Array;
}

/** Bytes of a header without CSRCs and extension: what `writeRtp` adds. */
export const RTP_HEADER_BYTES = 12;

const NOTHING = new Uint8Array(0);

export const emptyPacket = (): RtpPacket => ({
  payloadType: 0,
  marker: false,
  sequence: 0,
  timestamp: 0,
  ssrc: 0,
  payload: NOTHING,
});

/**
 * True for a datagram that is RTCP by its packet type, 192 … 223 (RFC 5761 §4), also where it came to the RTP port.
 * As RTP it would be payload type 64 … 95 with the marker set, which nobody may use.
 */
export const looksLikeRtcp = (bytes: Uint8Array): boolean => bytes.length >= 8 && bytes[1]! >= 192 && bytes[1]! <= 223;

/**
 * Reads one RTP packet; undefined where it is malformed (RFC 3550 A.1: version, padding, and lengths that add up).
 * Pass the same `into` for every packet and nothing is allocated but the view of the payload, where it is another.
 */
export function parseRtp(bytes: Uint8Array, into: RtpPacket = emptyPacket()): RtpPacket | undefined {
  if (bytes.length < RTP_HEADER_BYTES || bytes[0]! >> 6 !== 2 || looksLikeRtcp(bytes)) return undefined;
  const first = bytes[0]!;

  let start = RTP_HEADER_BYTES + 4 * (first & 0x0f);
  if (first & 0x10) {
    // §5.3.1: 16 bits for the profile, then the length in 32-bit words, this head not counted.
    if (start + 4 > bytes.length) return undefined;
    start += 4 + 4 * ((bytes[start + 2]! << 8) | bytes[start + 3]!);
  }
  let end = bytes.length;
  if (first & 0x20) {
    const padding = bytes[end - 1]!;
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;

  into.payloadType = bytes[1]! & 0x7f;
  into.marker = bytes[1]! >= 0x80;
  into.sequence = (bytes[2]! << 8) | bytes[3]!;
  into.timestamp = readUint32(bytes, 4);
  into.ssrc = readUint32(bytes, 8);
  const { payload } = into;
  const isView =
    payload.length === end - start &&
    payload.byteOffset === bytes.byteOffset + start &&
    payload.buffer === bytes.buffer;
  if (!isView) into.payload = bytes.subarray(start, end);
  return into;
}

/** Writes header and payload into the front of `into`; returns the bytes written. Throws where they do not fit. */
export function writeRtp(
  into: Uint8Array,
  header: RtpHeader,
  payload: Uint8Array,
  payloadBytes = payload.length,
): number {
  const length = RTP_HEADER_BYTES + payloadBytes;
  if (length > into.length || payloadBytes > payload.length) {
    throw new RangeError(`an RTP packet of ${length} bytes does not fit into ${into.length}`);
  }
  into[0] = 0x80;
  into[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  into[2] = header.sequence >> 8;
  into[3] = header.sequence;
  writeUint32(into, 4, header.timestamp);
  writeUint32(into, 8, header.ssrc);
  // Not `set(subarray)`: the view would be allocated for each packet.
  for (let i = 0; i < payloadBytes; i++) into[RTP_HEADER_BYTES + i] = payload[i]!;
  return length;
}

const readUint32 = (bytes: Uint8Array, at: number) =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function writeUint32(into: Uint8Array, at: number, value: number) {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
