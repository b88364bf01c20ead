/**
 * What encrypts and authenticates the packets of one direction, in place. RTP and RTCP differ only in what their index
 * is and where it stands; that is their callers' affair.
 */
import { createCipheriv } from 'node:crypto';
import { GHASH_BYTES, Ghash } from './ghash.ts';
import { HmacSha1 } from './hmac-sha1.ts';
import type { SessionKeys } from './key-derivation.ts';
import type { Suite } from './suite.ts';

/** Which packet of a stream it is: 48 bits for RTP (roll-over counter and sequence), 31 for RTCP. */
export interface PacketIndex {
  ssrc: number;
  /** The upper 32 of 48 bits. */
  high: number;
  /** The lower 16 of 48 bits. */
  low: number;
}

/** A block of AES. Bytes. */
const BLOCK = 16;

/** Blocks of AES for what stands in `counters`. One cipher for all packets: to make one a packet costs more than its work. */
class KeyStream {
  counters: DataView;
  readonly #cipher;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(encryption: Buffer, blocks = 1) {
    const name = encryption.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb';
    this.#cipher = createCipheriv(name, encryption, null).setAutoPadding(false);
    this.#bytes = new Uint8Array(blocks * BLOCK);
    this.counters = new DataView(this.#bytes.buffer);
  }

  /** `counters` has room for so many blocks from now on; what was in it is gone. */
  reserve(blocks: number) {
    if (this.#bytes.length >= blocks * BLOCK) return;
    this.#bytes = new Uint8Array(blocks * BLOCK);
    this.counters = new DataView(this.#bytes.buffer);
  }

  of(blocks: number): Buffer {
    return this.#cipher.update(this.#bytes.subarray(0, blocks * BLOCK));
  }
}

/** AES in counter mode (RFC 3711 §4.1.1). */
export class CounterCipher {
  readonly #stream: KeyStream;
  readonly #salt: Buffer;

  constructor({ encryption, salt }: SessionKeys) {
    this.#stream = new KeyStream(encryption);
    this.#salt = salt;
  }

  /** Encrypts or decrypts, which is the same, the bytes `from` … `to` of a packet. */
  apply(packet: Uint8Array, from: number, to: number, { ssrc, high, low }: PacketIndex) {
    const blocks = Math.ceil((to - from) / BLOCK);
    if (blocks <= 0) return;
    this.#stream.reserve(blocks);
    const { counters } = this.#stream;
    const salt = this.#salt;
    const first = salt.readInt32BE(0);
    const second = salt.readInt32BE(4) ^ ssrc;
    const third = salt.readInt32BE(8) ^ high;
    const fourth = (salt.readUInt16BE(12) ^ low) << 16;
    for (let block = 0; block < blocks; block++) {
      counters.setInt32(BLOCK * block, first);
      counters.setInt32(BLOCK * block + 4, second);
      counters.setInt32(BLOCK * block + 8, third);
      counters.setInt32(BLOCK * block + 12, fourth | block);
    }
    const stream = this.#stream.of(blocks);
    for (let at = from, index = 0; at < to; at++, index++) packet[at]! ^= stream[index]!;
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
  readonly #salt: Buffer;
  readonly #tag = new Uint8Array(GHASH_BYTES);

  constructor({ encryption, salt }: SessionKeys) {
    this.#stream = new KeyStream(encryption);
    this.#ghash = new Ghash(this.#stream.of(1));
    this.#salt = salt;
  }

  /** Encrypts `from` … `to` in place and writes the tag behind it; `associated` is covered too, its first bytes so many. */
  seal(packet: Uint8Array, from: number, to: number, associated: Uint8Array, bytes: number, index: PacketIndex) {
    const stream = this.#streamFor(to - from, index);
    xor(packet, from, to, stream);
    const tag = this.#tagOf(packet, from, to, associated, bytes, stream);
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
    const stream = this.#streamFor(to - from, index);
    if (!sameTag(this.#tagOf(packet, from, to, associated, bytes, stream), packet, to, GHASH_BYTES)) return false;
    xor(packet, from, to, stream);
    return true;
  }

  /**
   * What hides the tag, and then what hides the sound (NIST SP 800-38D §7.1). RFC 7714 §8.1 for RTP, §9.1 for RTCP, whose
   * index has its upper 16 bits where the roll-over counter stands.
   */
  #streamFor(bytes: number, { ssrc, high, low }: PacketIndex): Buffer {
    const blocks = 1 + Math.ceil(bytes / BLOCK);
    this.#stream.reserve(blocks);
    const { counters } = this.#stream;
    const salt = this.#salt;
    const first = salt.readInt32BE(0) ^ (ssrc >>> 16);
    const second = salt.readInt32BE(4) ^ ((ssrc << 16) | (high >>> 16));
    const third = salt.readInt32BE(8) ^ ((high << 16) | low);
    for (let block = 0; block < blocks; block++) {
      counters.setInt32(BLOCK * block, first);
      counters.setInt32(BLOCK * block + 4, second);
      counters.setInt32(BLOCK * block + 8, third);
      counters.setInt32(BLOCK * block + 12, block + 1);
    }
    return this.#stream.of(blocks);
  }

  #tagOf(packet: Uint8Array, from: number, to: number, associated: Uint8Array, bytes: number, stream: Buffer) {
    const ghash = this.#ghash;
    const tag = this.#tag;
    ghash.begin();
    ghash.update(associated, 0, bytes);
    ghash.update(packet, from, to);
    ghash.finish(bytes, to - from, tag);
    for (let at = 0; at < GHASH_BYTES; at++) tag[at]! ^= stream[at]!;
    return tag;
  }
}

/** Behind the block that is the tag's. */
function xor(packet: Uint8Array, from: number, to: number, stream: Buffer) {
  for (let at = from, index = BLOCK; at < to; at++, index++) packet[at]! ^= stream[index]!;
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
