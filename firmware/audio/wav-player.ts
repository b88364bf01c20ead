/** Plays a WAV of any rate at the rate of the device, a frame at a time; never converts more than a frame at once. */
import { FRAME_MS } from './frame.ts';
import { type Resampler, resampler } from './resample.ts';
import { softEdge } from './soft-edge.ts';
import type { Wav } from './wav.ts';

/** Who cut a file short did so in the midst of a wave: its end fades. */
const FADE_MS = 5;

export class WavPlayer {
  readonly #wav: Wav;
  readonly #resampler: Resampler;
  readonly #block: Int16Array;
  /** Converted and not yet played: less than a frame, then a block more. */
  readonly #ready: Int16Array;
  readonly #converted: Int16Array;
  #readyCount = 0;
  /** The next instant of the file. */
  #at = 0;

  constructor(wav: Wav, rate: number) {
    this.#wav = wav;
    const block = Math.ceil((wav.rate * FRAME_MS) / 1000);
    const converted = Math.ceil((block * rate) / wav.rate) + 1;
    this.#resampler = resampler(wav.rate, rate, block);
    this.#block = new Int16Array(block);
    this.#converted = new Int16Array(converted);
    this.#ready = new Int16Array((rate * FRAME_MS) / 1000 + converted);
  }

  /** Fills `frame`; false when the file was over before it, and the frame is silence. */
  read(frame: Int16Array): boolean {
    // One block of silence after the end brings out what is still in the filter.
    const end = this.#wav.length + this.#block.length;
    while (this.#readyCount < frame.length && this.#at < end) this.#convertBlock();
    if (this.#readyCount === 0) {
      frame.fill(0);
      return false;
    }
    const count = Math.min(frame.length, this.#readyCount);
    for (let index = 0; index < count; index++) frame[index] = this.#ready[index]!;
    frame.fill(0, count);
    this.#ready.copyWithin(0, count, this.#readyCount);
    this.#readyCount -= count;
    return true;
  }

  close() {
    this.#wav.close?.();
  }

  #convertBlock() {
    const length = this.#block.length;
    const count = Math.max(0, Math.min(length, this.#wav.length - this.#at));
    this.#wav.read(this.#at, count, this.#block);
    this.#block.fill(0, count);
    this.#fade(count);
    this.#at += length;
    const made = this.#resampler.process(this.#block, length, this.#converted);
    for (let index = 0; index < made; index++) this.#ready[this.#readyCount + index] = this.#converted[index]!;
    this.#readyCount += made;
  }

  /** Of the block's `count` samples those that the end of the file is near. */
  #fade(count: number) {
    const fade = (this.#wav.rate * FADE_MS) / 1000;
    const end = this.#wav.length - this.#at;
    for (let index = Math.max(0, Math.ceil(end - fade)); index < count; index++) {
      this.#block[index] = Math.round(this.#block[index]! * softEdge((end - index) / fade));
    }
  }
}
