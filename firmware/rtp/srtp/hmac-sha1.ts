/**
 * HMAC-SHA1 (RFC 2104, FIPS 180-4) for one key and many short messages. node:crypto makes an object for each message,
 * which takes twice as long as the hash itself; here the key is hashed once, and nothing is allocated.
 */

const BLOCK_BYTES = 64;
const STATE_WORDS = 5;
export const SHA1_BYTES = 20;
/** Where the last block's length begins. */
const LENGTH_AT = 56;
const BEGIN = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);

export class HmacSha1 {
  /** The last tag. */
  readonly tag = new Uint8Array(SHA1_BYTES);
  readonly #inner = Int32Array.from(BEGIN);
  readonly #outer = Int32Array.from(BEGIN);
  readonly #state = new Int32Array(STATE_WORDS);
  readonly #words = new Int32Array(80);
  /** The end of a message, padded; its start is still in the message. */
  readonly #last = new Uint8Array(2 * BLOCK_BYTES);

  /** `key`: at most a block. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`a key of ${key.length} bytes is longer than a block`);
    const padded = (pad: number) => Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => (key[at] ?? 0) ^ pad);
    compress(this.#inner, padded(0x36), 0, this.#words);
    compress(this.#outer, padded(0x5c), 0, this.#words);
  }

  /** Of the first `length` bytes of `message`, and of the 32 bits of `more` behind them where there are any. */
  digest(message: Uint8Array, length: number, more?: number): Uint8Array {
    const state = this.#state;
    const last = this.#last;
    state.set(this.#inner);
    const whole = length - (length % BLOCK_BYTES);
    for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, message, at, this.#words);
    let left = length - whole;
    for (let at = 0; at < left; at++) last[at] = message[whole + at]!;
    if (more !== undefined) {
      write32(last, left, more);
      left += 4;
    }
    this.#finish(left, BLOCK_BYTES + whole + left);
    for (let word = 0; word < STATE_WORDS; word++) write32(last, 4 * word, state[word]!);
    state.set(this.#outer);
    this.#finish(SHA1_BYTES, BLOCK_BYTES + SHA1_BYTES);
    for (let word = 0; word < STATE_WORDS; word++) write32(this.tag, 4 * word, state[word]!);
    return this.tag;
  }

  /** FIPS 180-4 §5.1.1: a bit, zeros, and the length in bits, which here needs 32. */
  #finish(left: number, total: number) {
    const last = this.#last;
    last[left] = 0x80;
    const end = left < LENGTH_AT ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    last.fill(0, left + 1, end - 4);
    write32(last, end - 4, total * 8);
    compress(this.#state, last, 0, this.#words);
    if (end > BLOCK_BYTES) compress(this.#state, last, BLOCK_BYTES, this.#words);
  }
}

/** FIPS 180-4 §6.1.2, of the block at `at`. */
function compress(state: Int32Array, bytes: Uint8Array, at: number, words: Int32Array) {
  for (let t = 0; t < 16; t++, at += 4) {
    words[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let t = 16; t < 80; t++) {
    const mixed = words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!;
    words[t] = (mixed << 1) | (mixed >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 20; t++) {
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + 0x5a827999 + words[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + words[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + 0x8f1bbcdc + words[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + words[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

function write32(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
