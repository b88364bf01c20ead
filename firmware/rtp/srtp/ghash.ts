/**
 * GHASH of AES-GCM (NIST SP 800-38D §6.4) by tables: what each half byte of a block adds to the product with the key.
 * node:crypto makes an object for each packet of GCM, which takes three times as long as all of this.
 *
 * The tables are read at places that depend on the packet, so somebody who runs on the same processor could learn of
 * them by its cache; on a device nobody else does, and over a network that is not seen.
 */

export const GHASH_BYTES = 16;
const NIBBLES = 32;
const VALUES = 16;
const WORDS = 4;
/** x¹²⁸ = x⁷ + x² + x + 1, with the bits in GCM's order. */
const REDUCTION = 0xe1 << 24;

export class Ghash {
  /** 8 kB: 32 places of a half byte × 16 values × 4 words. */
  readonly #table = new Int32Array(NIBBLES * VALUES * WORDS);
  readonly #sum = new Int32Array(WORDS);

  /** `key`: the cipher of a block of zeros. */
  constructor(key: Uint8Array) {
    const table = this.#table;
    const power = new Int32Array(WORDS);
    for (let word = 0; word < WORDS; word++) power[word] = read32(key, 4 * word);
    for (let nibble = 0; nibble < NIBBLES; nibble++) {
      const at = nibble * VALUES * WORDS;
      // The highest bit of a half byte is the lowest power.
      for (let bit = 8; bit > 0; bit >>= 1) {
        table.set(power, at + bit * WORDS);
        timesX(power);
      }
      for (let value = 1; value < VALUES; value++) {
        const low = value & -value;
        if (low === value) continue;
        for (let word = 0; word < WORDS; word++) {
          table[at + value * WORDS + word] =
            table[at + low * WORDS + word]! ^ table[at + (value ^ low) * WORDS + word]!;
        }
      }
    }
  }

  begin() {
    this.#sum.fill(0);
  }

  /** The bytes `from` … `to`, with zeros to a whole block. */
  update(bytes: Uint8Array, from: number, to: number) {
    const table = this.#table;
    const sum = this.#sum;
    let x0 = sum[0]!;
    let x1 = sum[1]!;
    let x2 = sum[2]!;
    let x3 = sum[3]!;
    for (; from < to; from += GHASH_BYTES) {
      if (from + GHASH_BYTES <= to) {
        x0 ^= read32(bytes, from);
        x1 ^= read32(bytes, from + 4);
        x2 ^= read32(bytes, from + 8);
        x3 ^= read32(bytes, from + 12);
      } else {
        x0 ^= readSome(bytes, from, to);
        x1 ^= readSome(bytes, from + 4, to);
        x2 ^= readSome(bytes, from + 8, to);
        x3 ^= readSome(bytes, from + 12, to);
      }
      let y0 = 0;
      let y1 = 0;
      let y2 = 0;
      let y3 = 0;
      let at = 0;
      for (let word = 0; word < WORDS; word++) {
        const x = word === 0 ? x0 : word === 1 ? x1 : word === 2 ? x2 : x3;
        for (let shift = 28; shift >= 0; shift -= 4) {
          const entry = at + ((x >>> shift) & 15) * WORDS;
          y0 ^= table[entry]!;
          y1 ^= table[entry + 1]!;
          y2 ^= table[entry + 2]!;
          y3 ^= table[entry + 3]!;
          at += VALUES * WORDS;
        }
      }
      x0 = y0;
      x1 = y1;
      x2 = y2;
      x3 = y3;
    }
    sum[0] = x0;
    sum[1] = x1;
    sum[2] = x2;
    sum[3] = x3;
  }

  /** The last block holds both lengths in bits; each here needs 32. Writes the hash. */
  finish(associatedBytes: number, cipherBytes: number, into: Uint8Array) {
    const block = lengths;
    write32(block, 4, associatedBytes * 8);
    write32(block, 12, cipherBytes * 8);
    this.update(block, 0, GHASH_BYTES);
    for (let word = 0; word < WORDS; word++) write32(into, 4 * word, this.#sum[word]!);
  }
}

const lengths = new Uint8Array(GHASH_BYTES);

function timesX(power: Int32Array) {
  const carry = power[3]! & 1;
  for (let word = 3; word > 0; word--) power[word] = (power[word]! >>> 1) | (power[word - 1]! << 31);
  power[0] = (power[0]! >>> 1) ^ (carry === 1 ? REDUCTION : 0);
}

const read32 = (bytes: Uint8Array, at: number) =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

function readSome(bytes: Uint8Array, at: number, to: number): number {
  let word = 0;
  for (let byte = 0; byte < 4; byte++) word = (word << 8) | (at + byte < to ? bytes[at + byte]! : 0);
  return word;
}

function write32(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
