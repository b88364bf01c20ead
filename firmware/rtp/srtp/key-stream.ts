/**
 * What AES makes of counters, for one packet after the other. A call of node:crypto takes longer than its work, and the
 * next packets of a stream are known by number before they come: so theirs is made ahead, a dozen packets in one call.
 */
import { createCipheriv } from 'node:crypto';

/** Which packet of a stream it is: 48 bits for RTP (roll-over counter and sequence), 31 for RTCP. */
export interface PacketIndex {
  ssrc: number;
  /** The upper 32 of 48 bits. */
  high: number;
  /** The lower 16 of 48 bits. */
  low: number;
}

/** Writes the counter of a packet's first block at a place; its last 16 bits go up by one with each block. */
export type WriteCounter = (counters: DataView, at: number, index: PacketIndex) => void;

export const AES_BLOCK_BYTES = 16;
/** Made in one call for packets that are still to come. */
const AHEAD_BLOCKS = 128;
const AHEAD_PACKETS = 16;
const SEQUENCES = 0x1_0000;

export class KeyStream {
  /** Of the packet that was sought last, from `at` on. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  readonly #cipher;
  readonly #write: WriteCounter;
  #counters = new Uint8Array(0);
  #view = new DataView(this.#counters.buffer);
  /** Made ahead: of so many packets of a source from `#first` on, each with so many blocks. */
  #ahead: Uint8Array = this.bytes;
  #ssrc = -1;
  #first = 0;
  #packets = 0;
  #blocks = 0;
  /** The most that was sought since then. */
  #longest = 0;
  /** The packet that was sought last. */
  #last = -1;
  #lastSsrc = -1;
  readonly #index: PacketIndex = { ssrc: 0, high: 0, low: 0 };

  /** One cipher for all packets: to make one for each costs more than its work. */
  constructor(encryption: Buffer, write: WriteCounter) {
    const name = encryption.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb';
    this.#cipher = createCipheriv(name, encryption, null).setAutoPadding(false);
    this.#write = write;
  }

  /** A block of zeros, encrypted. */
  ofZeros(): Uint8Array {
    return this.#cipher.update(new Uint8Array(AES_BLOCK_BYTES));
  }

  /** Afterwards `bytes` holds so many blocks for this packet, from `at` on. */
  seek(index: PacketIndex, blocks: number) {
    const { ssrc } = index;
    const number = index.high * SEQUENCES + index.low;
    const place = number - this.#first;
    const isAhead = ssrc === this.#ssrc && place >= 0 && place < this.#packets && blocks <= this.#blocks;
    const follows = ssrc === this.#lastSsrc && number === this.#last + 1;
    this.#last = number;
    this.#lastSsrc = ssrc;
    this.#longest = Math.max(this.#longest, blocks);
    if (isAhead) {
      this.bytes = this.#ahead;
      this.at = place * this.#blocks * AES_BLOCK_BYTES;
      return;
    }
    this.at = 0;
    // A packet that follows none may be forged, with any number: it costs no more than itself, and changes nothing.
    if (!follows) {
      this.bytes = this.#make(index, 1, blocks);
      return;
    }
    this.#ssrc = ssrc;
    this.#first = number;
    this.#blocks = this.#longest;
    this.#packets = Math.max(1, Math.min(AHEAD_PACKETS, Math.floor(AHEAD_BLOCKS / this.#blocks)));
    this.#longest = 0;
    this.#ahead = this.#make(index, this.#packets, this.#blocks);
    this.bytes = this.#ahead;
  }

  #make({ ssrc, high, low }: PacketIndex, packets: number, blocks: number): Uint8Array {
    const length = packets * blocks * AES_BLOCK_BYTES;
    if (this.#counters.length < length) {
      this.#counters = new Uint8Array(length);
      this.#view = new DataView(this.#counters.buffer);
    }
    const index = this.#index;
    index.ssrc = ssrc;
    index.high = high;
    index.low = low;
    for (let packet = 0, at = 0; packet < packets; packet++) {
      this.#packet(at, blocks);
      at += blocks * AES_BLOCK_BYTES;
      index.low = (index.low + 1) % SEQUENCES;
      if (index.low === 0) index.high++;
    }
    return this.#cipher.update(this.#counters.subarray(0, length));
  }

  /** The counters of one packet. */
  #packet(from: number, blocks: number) {
    const view = this.#view;
    this.#write(view, from, this.#index);
    const first = view.getInt32(from);
    const second = view.getInt32(from + 4);
    const third = view.getInt32(from + 8);
    const fourth = view.getInt32(from + 12);
    for (let block = 1, at = from + AES_BLOCK_BYTES; block < blocks; block++, at += AES_BLOCK_BYTES) {
      view.setInt32(at, first);
      view.setInt32(at + 4, second);
      view.setInt32(at + 8, third);
      view.setInt32(at + 12, fourth + block);
    }
  }
}
