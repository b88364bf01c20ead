/**
 * What encrypts and authenticates the packets of one direction, in place. RTP and RTCP differ only in what their index
 * is and where it stands; that is their callers' affair.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
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

/** AES in counter mode (RFC 3711 §4.1.1). */
export class CounterCipher {
  /** Encrypts counters one after the other. One object for all packets: to make one a packet costs more than its work. */
  readonly #blocks;
  readonly #salt: Buffer;
  #counters = Buffer.alloc(0);

  constructor({ encryption, salt }: SessionKeys) {
    const name = encryption.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb';
    this.#blocks = createCipheriv(name, encryption, null).setAutoPadding(false);
    this.#salt = salt;
  }

  /** Encrypts or decrypts, which is the same, the bytes `from` … `to` of a packet. */
  apply(packet: Uint8Array, from: number, to: number, { ssrc, high, low }: PacketIndex) {
    const count = Math.ceil((to - from) / BLOCK);
    if (count <= 0) return;
    if (this.#counters.length < count * BLOCK) this.#counters = Buffer.alloc(count * BLOCK);
    const counters = this.#counters;
    this.#salt.copy(counters, 0, 0, 14);
    counters.writeUInt32BE((counters.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    counters.writeUInt32BE((counters.readUInt32BE(8) ^ high) >>> 0, 8);
    counters.writeUInt16BE(counters.readUInt16BE(12) ^ low, 12);
    counters.writeUInt16BE(0, 14);
    for (let block = 1; block < count; block++) {
      counters.copyWithin(block * BLOCK, 0, 14);
      counters.writeUInt16BE(block, block * BLOCK + 14);
    }
    const stream = this.#blocks.update(counters.subarray(0, count * BLOCK));
    for (let at = from, index = 0; at < to; at++, index++) packet[at]! ^= stream[index]!;
  }
}

/** HMAC-SHA1, cut to the length of the suite (RFC 3711 §4.2.1). */
export class Authenticator {
  readonly #key;

  constructor({ authentication }: SessionKeys) {
    this.#key = createSecretKey(authentication);
  }

  tag(covered: Uint8Array): Buffer {
    return createHmac('sha1', this.#key).update(covered).digest();
  }

  isRight(covered: Uint8Array, tag: Uint8Array): boolean {
    return timingSafeEqual(this.tag(covered).subarray(0, tag.length), tag);
  }
}

/** AES in Galois counter mode (RFC 7714). */
export class GcmCipher {
  readonly #name: 'aes-128-gcm' | 'aes-256-gcm';
  readonly #key;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(12);

  constructor({ encryption, salt }: SessionKeys) {
    this.#name = encryption.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    this.#key = createSecretKey(encryption);
    this.#salt = salt;
  }

  /** Encrypts `from` … `to` in place and writes the tag behind it. */
  seal(packet: Uint8Array, from: number, to: number, associated: Uint8Array, index: PacketIndex) {
    const cipher = createCipheriv(this.#name, this.#key, this.#ivOf(index));
    cipher.setAAD(associated);
    packet.set(cipher.update(packet.subarray(from, to)), from);
    cipher.final();
    packet.set(cipher.getAuthTag(), to);
  }

  /** Decrypts `from` … `to` in place; false where the tag behind it is wrong, and then nothing has changed. */
  open(packet: Uint8Array, from: number, to: number, associated: Uint8Array, index: PacketIndex): boolean {
    const decipher = createDecipheriv(this.#name, this.#key, this.#ivOf(index), { authTagLength: 16 });
    decipher.setAAD(associated);
    decipher.setAuthTag(packet.subarray(to, to + 16));
    const plain = decipher.update(packet.subarray(from, to));
    try {
      decipher.final();
    } catch {
      return false;
    }
    packet.set(plain, from);
    return true;
  }

  /** RFC 7714 §8.1 for RTP, §9.1 for RTCP, whose index has its upper 16 bits where the roll-over counter stands. */
  #ivOf({ ssrc, high, low }: PacketIndex): Buffer {
    const iv = this.#iv;
    this.#salt.copy(iv);
    iv.writeUInt32BE((iv.readUInt32BE(2) ^ ssrc) >>> 0, 2);
    iv.writeUInt32BE((iv.readUInt32BE(6) ^ high) >>> 0, 6);
    iv.writeUInt16BE(iv.readUInt16BE(10) ^ low, 10);
    return iv;
  }
}

export const ciphersOf = (suite: Suite, keys: SessionKeys) =>
  suite.kind === 'gcm'
    ? ({ kind: 'gcm', gcm: new GcmCipher(keys) } as const)
    : ({ kind: 'counter', counter: new CounterCipher(keys), authenticator: new Authenticator(keys) } as const);

export type Ciphers = ReturnType<typeof ciphersOf>;
