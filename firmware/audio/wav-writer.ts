/**
 * Writes mono 16-bit PCM to a WAV as it comes. The sound only ever copies into memory; the disk is written aside, a
 * block at a time, and the header after each block, so that a killed process leaves a file that plays.
 */
import { WAV_HEADER_BYTES, wavHeader } from './wav.ts';

/** Where the bytes go; `done` comes later, never from within the call. Positions are absolute. */
export interface BlockFile {
  write(bytes: Uint8Array, position: number, done: (why?: string) => void): void;
  close(done: (why?: string) => void): void;
}

/** One block is this much sound: what a killed process loses at most. */
const BLOCK_MS = 1000;
/** Blocks in memory: while the disk holds its breath for longer than these, sound is left out and counted. */
const BLOCKS = 4;
/** RIFF sizes have 32 bits; a recording ends well before. */
const MAX_DATA_BYTES = 2 ** 31;

export class WavWriter {
  readonly #file: BlockFile;
  readonly #rate: number;
  readonly #blocks: Int16Array[];
  readonly #header = new Uint8Array(WAV_HEADER_BYTES);
  /** The block being filled, how far, and how many full ones wait before it. */
  #filling = 0;
  #filled = 0;
  #waiting = 0;
  #writing = false;
  #dataBytes = 0;
  #whenClosed: ((why?: string) => void) | undefined;
  #failed: string | undefined;
  /** Samples left out because the disk was too slow. */
  droppedSamples = 0;

  constructor(file: BlockFile, rate: number) {
    this.#file = file;
    this.#rate = rate;
    this.#blocks = Array.from({ length: BLOCKS }, () => new Int16Array((rate * BLOCK_MS) / 1000));
  }

  /** Why nothing more is written, for instance a full disk; undefined: all is well. */
  get failed() {
    return this.#failed;
  }

  /** Copies the frame. Never waits. */
  append(frame: Int16Array) {
    if (this.#failed !== undefined || this.#whenClosed !== undefined) return;
    if (this.#waiting === BLOCKS) {
      this.droppedSamples += frame.length;
      return;
    }
    let block = this.#blocks[this.#filling]!;
    for (const sample of frame) {
      block[this.#filled++] = sample;
      if (this.#filled === block.length) {
        this.#filled = 0;
        this.#filling = (this.#filling + 1) % BLOCKS;
        this.#waiting++;
        block = this.#blocks[this.#filling]!;
        // The rest of this frame would overwrite what still waits.
        if (this.#waiting === BLOCKS) break;
      }
    }
    if (this.#waiting > 0) this.#work();
  }

  /** Writes what is left, then closes. `done` is called once, with what went wrong, if anything did. */
  close(done: (why?: string) => void) {
    if (this.#whenClosed !== undefined) return;
    this.#whenClosed = done;
    this.#work();
  }

  #work() {
    if (this.#writing) return;
    if (this.#failed === undefined && this.#waiting > 0) {
      const oldest = (this.#filling + BLOCKS - this.#waiting) % BLOCKS;
      this.#write(this.#blocks[oldest]!, () => this.#waiting--);
    } else if (this.#failed === undefined && this.#whenClosed !== undefined && this.#filled > 0) {
      const rest = this.#blocks[this.#filling]!.subarray(0, this.#filled);
      this.#write(rest, () => {
        this.#filled = 0;
      });
    } else if (this.#whenClosed !== undefined) {
      this.#writing = true;
      this.#file.close(why => this.#whenClosed?.(this.#failed ?? why));
    }
  }

  /** The samples, then the header that covers them. */
  #write(samples: Int16Array, written: () => void) {
    if (this.#dataBytes + samples.byteLength > MAX_DATA_BYTES) {
      this.#failed = 'the recording has reached the size that a WAV can have';
      this.#work();
      return;
    }
    this.#writing = true;
    // WAV is little-endian, and so is every machine that Node runs on.
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    this.#file.write(bytes, WAV_HEADER_BYTES + this.#dataBytes, why => {
      this.#dataBytes += samples.byteLength;
      if (why !== undefined) return this.#end(written, why);
      this.#file.write(wavHeader(this.#rate, this.#dataBytes, this.#header), 0, late => this.#end(written, late));
    });
  }

  #end(written: () => void, why: string | undefined) {
    this.#writing = false;
    this.#failed ??= why;
    written();
    this.#work();
  }
}
