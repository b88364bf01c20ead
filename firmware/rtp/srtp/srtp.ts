/** SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): one object a direction, packets changed in place, state per source. */
import { type Ciphers, ciphersOf } from './ciphers.ts';
import { deriveKeys } from './key-derivation.ts';
import type { PacketIndex } from './key-stream.ts';
import { ReplayWindow } from './replay-window.ts';
import { LONGEST_TRAILER_BYTES, type MasterKey, type Suite, suites } from './suite.ts';

/** Sources of a call that are remembered at once; beyond, the one that was silent for longest is forgotten. */
export const SOURCE_LIMIT = 16;
/** A sequence number further back than this is ahead: the counter has rolled over (RFC 3711 appendix A). */
const HALF = 0x8000;
const SEQUENCES = 0x1_0000;
const ROLLOVERS = 2 ** 32;
/** SRTCP: the bit that says "encrypted", above an index of 31 bits (RFC 3711 §3.4). */
const ENCRYPTED = 0x8000_0000;
const RTCP_HEADER_BYTES = 8;
/** More than any network of ours carries in one piece. */
const LONGEST_PACKET_BYTES = 2_044;
/** RTCP's index, behind its packet. Bytes. */
const INDEX_BYTES = 4;

export type Refusal = 'malformed' | 'replayed' | 'not authentic';

/** Protects what we send. Each SSRC of ours counts its own roll-overs. */
export class SrtpSender {
  readonly #suite: Suite;
  readonly #rtp: Ciphers;
  readonly #rtcp: Ciphers;
  readonly #index: PacketIndex = { ssrc: 0, high: 0, low: 0 };
  #ssrc = -1;
  #lastSequence = 0;
  #rollovers = 0;
  #rtcpIndex = 0;

  constructor(master: MasterKey) {
    this.#suite = suites[master.suite];
    this.#rtp = ciphersOf(this.#suite, deriveKeys(master, 'rtp'));
    this.#rtcp = ciphersOf(this.#suite, deriveKeys(master, 'rtcp'));
  }

  /**
   * Protects the RTP packet in the first `length` bytes of `buffer`, which has `LONGEST_TRAILER_BYTES` more. Returns the
   * new length.
   */
  protect(buffer: Uint8Array, length: number): number {
    const header = rtpHeaderBytes(buffer, length);
    if (header === undefined || length + LONGEST_TRAILER_BYTES > buffer.length)
      throw new RangeError('not an RTP packet with room for its tag');
    const index = this.#next(read32(buffer, 8), (buffer[2]! << 8) | buffer[3]!);
    if (this.#rtp.kind === 'gcm') {
      this.#rtp.gcm.seal(buffer, header, length, buffer, header, index);
      return length + this.#suite.rtpTagBytes;
    }
    this.#rtp.counter.apply(buffer, header, length, index);
    // RFC 3711 §4.2: the roll-over counter is covered, and not sent.
    this.#rtp.authenticator.sign(buffer, length, this.#suite.rtpTagBytes, index.high);
    return length + this.#suite.rtpTagBytes;
  }

  /** The same for a compound RTCP packet. */
  protectRtcp(buffer: Uint8Array, length: number): number {
    if (length < RTCP_HEADER_BYTES || length + LONGEST_TRAILER_BYTES > buffer.length)
      throw new RangeError('not an RTCP packet with room for its index and tag');
    // RFC 3711 §3.4: 31 bits; a call ends long before.
    this.#rtcpIndex = (this.#rtcpIndex + 1) % ENCRYPTED;
    const word = this.#rtcpIndex + ENCRYPTED;
    const index = this.#indexOf(read32(buffer, 4), this.#rtcpIndex >>> 16, this.#rtcpIndex & 0xffff);
    if (this.#rtcp.kind === 'gcm') {
      const associated = withIndex(buffer, word);
      this.#rtcp.gcm.seal(buffer, RTCP_HEADER_BYTES, length, associated, associated.length, index);
      write32(buffer, length + this.#suite.rtcpTagBytes, word);
    } else {
      this.#rtcp.counter.apply(buffer, RTCP_HEADER_BYTES, length, index);
      write32(buffer, length, word);
      this.#rtcp.authenticator.sign(buffer, length + INDEX_BYTES, this.#suite.rtcpTagBytes);
    }
    return length + INDEX_BYTES + this.#suite.rtcpTagBytes;
  }

  #next(ssrc: number, sequence: number): PacketIndex {
    if (ssrc !== this.#ssrc) {
      this.#ssrc = ssrc;
      this.#rollovers = 0;
    } else if (sequence < this.#lastSequence && this.#lastSequence - sequence > HALF) this.#rollovers++;
    this.#lastSequence = sequence;
    return this.#indexOf(ssrc, this.#rollovers, sequence);
  }

  #indexOf(ssrc: number, high: number, low: number) {
    this.#index.ssrc = ssrc;
    this.#index.high = high;
    this.#index.low = low;
    return this.#index;
  }
}

interface Source {
  ssrc: number;
  rtp: ReplayWindow;
  rtcp: ReplayWindow;
}

/** Opens what a peer has protected. Whatever is not authentic changes nothing. */
export class SrtpReceiver {
  readonly #suite: Suite;
  readonly #rtp: Ciphers;
  readonly #rtcp: Ciphers;
  readonly #index: PacketIndex = { ssrc: 0, high: 0, low: 0 };
  /** Of those that have been authentic once, the one heard last at the end. */
  readonly #sources = new Map<number, Source>();
  /** That one. */
  #latest: Source | undefined;
  readonly #mostMissed: number;
  readonly #sourceLimit: number;

  /**
   * `mostMissed`: roll-overs of a source's counter that may have gone by before it is heard. `sourceLimit`: so many are
   * remembered; what was recorded of one that is forgotten is taken once more.
   */
  constructor(master: MasterKey, mostMissed = 1, sourceLimit = SOURCE_LIMIT) {
    this.#suite = suites[master.suite];
    this.#rtp = ciphersOf(this.#suite, deriveKeys(master, 'rtp'));
    this.#rtcp = ciphersOf(this.#suite, deriveKeys(master, 'rtcp'));
    this.#mostMissed = mostMissed;
    this.#sourceLimit = sourceLimit;
  }

  /** Opens an RTP packet in place: the packet without its tag, a view of `packet`. */
  open(packet: Uint8Array): Uint8Array | Refusal {
    const end = packet.length - this.#suite.rtpTagBytes;
    const header = rtpHeaderBytes(packet, end);
    if (header === undefined || packet.length > LONGEST_PACKET_BYTES) return 'malformed';
    const ssrc = read32(packet, 8);
    const sequence = (packet[2]! << 8) | packet[3]!;
    const source = this.#sources.get(ssrc);
    const guess = rolloversFor(sequence, source?.rtp.top ?? -1);
    if (source !== undefined && !source.rtp.isNew(guess * SEQUENCES + sequence)) {
      // It may be new all the same, after more than 32,768 lost packets: only the tag can tell.
      return this.#openAs(packet, header, end, ssrc, guess + 1, sequence) ?? 'replayed';
    }
    // A peer whose counter has rolled over before we came, or while nothing was heard, is found further on.
    const furthest = guess + (source === undefined ? this.#mostMissed : 1);
    for (let rollovers = guess; rollovers <= furthest; rollovers++) {
      const opened = this.#openAs(packet, header, end, ssrc, rollovers, sequence);
      if (opened !== undefined) return opened;
    }
    return 'not authentic';
  }

  #openAs(packet: Uint8Array, header: number, end: number, ssrc: number, rollovers: number, sequence: number) {
    if (rollovers >= ROLLOVERS) return undefined;
    const index = this.#indexOf(ssrc, rollovers, sequence);
    if (this.#rtp.kind === 'gcm') {
      if (!this.#rtp.gcm.open(packet, header, end, packet, header, index)) return undefined;
    } else {
      if (!this.#rtp.authenticator.isRight(packet, end, this.#suite.rtpTagBytes, rollovers)) return undefined;
      this.#rtp.counter.apply(packet, header, end, index);
    }
    this.#sourceOf(ssrc).rtp.take(rollovers * SEQUENCES + sequence);
    return packet.subarray(0, end);
  }

  /** Opens a compound RTCP packet in place. */
  openRtcp(packet: Uint8Array): Uint8Array | Refusal {
    const { rtcpTagBytes } = this.#suite;
    const end = packet.length - rtcpTagBytes - INDEX_BYTES;
    if (end < RTCP_HEADER_BYTES) return 'malformed';
    const word = read32(packet, this.#rtcp.kind === 'gcm' ? packet.length - INDEX_BYTES : end);
    const number = word & ~ENCRYPTED;
    const isEncrypted = word >= ENCRYPTED;
    const ssrc = read32(packet, 4);
    if (this.#sources.get(ssrc)?.rtcp.isNew(number) === false) return 'replayed';
    const index = this.#indexOf(ssrc, number >>> 16, number & 0xffff);
    if (this.#rtcp.kind === 'gcm') {
      // RFC 7714 §9.3: without encryption all of it is associated data; no device sends that.
      if (!isEncrypted) return 'not authentic';
      const associated = withIndex(packet, word);
      if (!this.#rtcp.gcm.open(packet, RTCP_HEADER_BYTES, end, associated, associated.length, index))
        return 'not authentic';
    } else {
      if (!this.#rtcp.authenticator.isRight(packet, end + INDEX_BYTES, rtcpTagBytes)) return 'not authentic';
      if (isEncrypted) this.#rtcp.counter.apply(packet, RTCP_HEADER_BYTES, end, index);
    }
    this.#sourceOf(ssrc).rtcp.take(number);
    return packet.subarray(0, end);
  }

  #sourceOf(ssrc: number): Source {
    if (ssrc === this.#latest?.ssrc) return this.#latest;
    const source = this.#sources.get(ssrc) ?? { ssrc, rtp: new ReplayWindow(), rtcp: new ReplayWindow() };
    this.#latest = source;
    this.#sources.delete(ssrc);
    this.#sources.set(ssrc, source);
    if (this.#sources.size > this.#sourceLimit) this.#sources.delete(this.#sources.keys().next().value!);
    return source;
  }

  #indexOf(ssrc: number, high: number, low: number) {
    this.#index.ssrc = ssrc;
    this.#index.high = high;
    this.#index.low = low;
    return this.#index;
  }
}

/** RFC 3711 appendix A: the roll-over counter that puts this sequence number next to the highest that was heard. */
function rolloversFor(sequence: number, top: number): number {
  if (top < 0) return 0;
  const rollovers = Math.floor(top / SEQUENCES);
  const last = top % SEQUENCES;
  if (last < HALF) return sequence - last > HALF && rollovers > 0 ? rollovers - 1 : rollovers;
  return last - HALF > sequence ? rollovers + 1 : rollovers;
}

/** Fixed header, CSRCs and extension: what is sent in the clear. Undefined where they do not fit (RFC 3550 §5.1). */
function rtpHeaderBytes(packet: Uint8Array, length: number): number | undefined {
  if (length < 12 || packet[0]! >> 6 !== 2) return undefined;
  let bytes = 12 + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) {
    if (bytes + 4 > length) return undefined;
    bytes += 4 + 4 * ((packet[bytes + 2]! << 8) | packet[bytes + 3]!);
  }
  return bytes > length ? undefined : bytes;
}

/** RFC 7714 §9.2: the header of the compound packet, and the word with the index. */
function withIndex(packet: Uint8Array, word: number): Uint8Array {
  const associated = new Uint8Array(RTCP_HEADER_BYTES + INDEX_BYTES);
  associated.set(packet.subarray(0, RTCP_HEADER_BYTES));
  write32(associated, RTCP_HEADER_BYTES, word);
  return associated;
}

const read32 = (bytes: Uint8Array, at: number) =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function write32(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
