/**
 * What encrypts and authenticates the packets of one direction, in place. RTP and RTCP differ only in what their index
 * is and where it stands; that is their callers' affair.
 */
import { GHASH_BYTES, Ghash } from './ghash.ts';
import { HmacSha1 } from './hmac-sha1.ts';
import type { SessionKeys } from './key-derivation.ts';
import { AES_BLOCK_BYTES, KeyStream, type PacketIndex } from './key-stream.ts';
import type { Suite } from './suite.ts';

/** AES in counter mode (RFC 3711 §4.1.1). */
export class CounterCipher {
  readonly #stream: KeyStream;

  constructor({ encryption, salt }: SessionKeys) {
    const [first, second, third] = [0, 4, 8].map(at => salt.readInt32BE(at)) as [number, number, number];
    const fourth = salt.readUInt16BE(12);
    this.#stream = new KeyStream(encryption, (counters, at, { ssrc, high, low }) => {
      counters.setInt32(at, first);
      counters.setInt32(at + 4, second ^ ssrc);
      counters.setInt32(at + 8, third ^ high);
      counters.setInt32(at + 12, (fourth ^ low) << 16);
    });
  }

  /** Encrypts or decrypts, which is the same, the bytes `from` … `to` of a packet. */
  apply(packet: Uint8Array, from: number, to: number, index: PacketIndex) {
    const blocks = Math.ceil((to - from) / AES_BLOCK_BYTES);
    if (blocks <= 0) return;
    this.#stream.seek(index, blocks);
    xor(packet, from, to, this.#stream.bytes, this.#stream.at);
  }
}

/** HMAC-SHA1, cut to the length of the suite (RFC 3711 §4.2.1). */
export class Authenticator {
  readonly #hmac: HmacSha1;

  constructor({ authentication }: SessionKeys) {
    this.#hmac = new HmacSha1(authentication);
  }

  /** Writes `tagBytes` of the tag of the first `covered` bytes, and of 32 bits more, behind those bytes. */
  sign(packet: Uint8Array, covered: number, tagBytes: number, more?: number) {
    const tag = this.#hmac.digest(packet, covered, more);
    for (let at = 0; at < tagBytes; at++) packet[covered + at] = tag[at]!;
  }

  /** Whether that tag stands there. */
  isRight(packet: Uint8Array, covered: number, tagBytes: number, more?: number): boolean {
    return sameTag(this.#hmac.digest(packet, covered, more), packet, covered, tagBytes);
  }
}

/** AES in Galois counter mode (RFC 7714). */
export class GcmCipher {
  readonly #stream: KeyStream;
  readonly #ghash: Ghash;
  readonly #tag = new Uint8Array(GHASH_BYTES);

  /**
   * The first block of a packet hides its tag, the others its sound (NIST SP 800-38D §7.1). RFC 7714 §8.1 for RTP, §9.1
   * for RTCP, whose index has its upper 16 bits where the roll-over counter stands.
   */
  constructor({ encryption, salt }: SessionKeys) {
    const [first, second, third] = [0, 4, 8].map(at => salt.readInt32BE(at)) as [number, number, number];
    this.#stream = new KeyStream(encryption, (counters, at, { ssrc, high, low }) => {
      counters.setInt32(at, first ^ (ssrc >>> 16));
      counters.setInt32(at + 4, second ^ ((ssrc << 16) | (high >>> 16)));
      counters.setInt32(at + 8, third ^ ((high << 16) | low));
      counters.setInt32(at + 12, 1);
    });
    this.#ghash = new Ghash(this.#stream.ofZeros());
  }

  /** Encrypts `from` … `to` in place and writes the tag behind it; `associated` is covered too, its first bytes so many. */
  seal(packet: Uint8Array, from: number, to: number, associated: Uint8Array, bytes: number, index: PacketIndex) {
    this.#seek(to - from, index);
    this.#xor(packet, from, to);
    const tag = this.#tagOf(packet, from, to, associated, bytes);
    for (let at = 0; at < GHASH_BYTES; at++) packet[to + at] = tag[at]!;
  }

  /** Decrypts `from` … `to` in place; false where the tag behind it is wrong, and then nothing has changed. */
  open(
    packet: Uint8Array,
    from: number,
    to: number,
    associated: Uint8Array,
    bytes: number,
    index: PacketIndex,
  ): boolean {
    this.#seek(to - from, index);
    if (!sameTag(this.#tagOf(packet, from, to, associated, bytes), packet, to, GHASH_BYTES)) return false;
    this.#xor(packet, from, to);
    return true;
  }

  #seek(bytes: number, index: PacketIndex) {
    this.#stream.seek(index, 1 + Math.ceil(bytes / AES_BLOCK_BYTES));
  }

  #xor(packet: Uint8Array, from: number, to: number) {
    xor(packet, from, to, this.#stream.bytes, this.#stream.at + AES_BLOCK_BYTES);
  }

  #tagOf(packet: Uint8Array, from: number, to: number, associated: Uint8Array, bytes: number) {
    const ghash = this.#ghash;
    const tag = this.#tag;
    const { bytes: stream, at: first } = this.#stream;
    ghash.begin();
    ghash.update(associated, 0, bytes);
    ghash.update(packet, from, to);
    ghash.finish(bytes, to - from, tag);
    for (let at = 0; at < GHASH_BYTES; at++) tag[at]! ^= stream[first + at]!;
    return tag;
  }
}

function xor(packet: Uint8Array, from: number, to: number, stream: Uint8Array, index: number) {
  for (let at = from; at < to; at++, index++) packet[at]! ^= stream[index]!;
}

/** Takes as long wherever the first difference is. */
function sameTag(tag: Uint8Array, packet: Uint8Array, from: number, bytes: number): boolean {
  let different = 0;
  for (let at = 0; at < bytes; at++) different |= tag[at]! ^ packet[from + at]!;
  return different === 0;
}

export const ciphersOf = (suite: Suite, keys: SessionKeys) =>
  suite.kind === 'gcm'
    ? ({ kind: 'gcm', gcm: new GcmCipher(keys) } as const)
    : ({ kind: 'counter', counter: new CounterCipher(keys), authenticator: new Authenticator(keys) } as const);

export type Ciphers = ReturnType<typeof ciphersOf>;
