/** The microphone's side of a card: whole frames at the device's rate, of the half that was asked for, overruns healed. */
import type { AudioCounters, AudioFormat, AudioSpec } from '../contracts.ts';
import type { Pcm, Side } from './alsa-library.ts';
import { alsaError, EAGAIN, EPIPE, ESTRPIPE } from './alsa-library.ts';
import { Interpolator } from './interpolator.ts';

/** A stream that cannot be brought back by so many tries within one run is broken. */
export const MAX_HEALS_PER_RUN = 3;

/** What both sides of a card are made with. */
export interface SideOptions {
  pcm: Pcm;
  spec: AudioSpec;
  format: AudioFormat;
  counters: AudioCounters;
  onXrun: (side: Side) => void;
}

export class Microphone {
  /** The newest frame. */
  readonly frame: Int16Array;
  readonly #options: SideOptions;
  readonly #pcm: Pcm;
  readonly #change: Interpolator | undefined;
  /** As the card gives them: interleaved. */
  readonly #raw: Int16Array;
  /** At the card's rate. */
  readonly #mono: Int16Array;
  /** Frames of the card read for the frame that is being made, and how many it takes. */
  #read = 0;
  #wanted: number;
  #missing: number;
  #heals = 0;

  constructor(options: SideOptions) {
    const { pcm, format } = options;
    this.#options = options;
    this.#pcm = pcm;
    const step = pcm.rate / format.rate;
    const most = Math.ceil(format.frameSamples * step) + 1;
    this.#change = step === 1 ? undefined : new Interpolator(step, 2 * most);
    const longest = Math.max(most, this.#change?.inputsFor(format.frameSamples) ?? 0);
    this.frame = new Int16Array(format.frameSamples);
    this.#mono = new Int16Array(longest);
    this.#raw = new Int16Array(longest * pcm.channels);
    this.#wanted = this.#inputs();
    this.#missing = this.#wanted;
  }

  /** Throws HalError. */
  start() {
    this.#must(this.#pcm.start());
  }

  /** Before a run of several frames. */
  beginRun() {
    this.#heals = 0;
  }

  /** What waits here, beyond the newest frame. Milliseconds. */
  waitingMs() {
    return (Math.max(0, this.#pcm.available()) * 1000) / this.#pcm.rate;
  }

  /** So many whole frames wait. */
  has(frames: number) {
    return this.#pcm.available() >= frames * this.#wanted;
  }

  /** Until the next whole frame, as far as is known. */
  get waitMs() {
    return Math.max(0, (this.#missing * 1000) / this.#pcm.rate);
  }

  /** True once a whole frame stands in `frame`. Throws HalError. */
  next(): boolean {
    const available = this.#pcm.available();
    this.#missing = this.#wanted - this.#read - Math.max(0, available);
    if (available < 0) this.#heal(available);
    return this.#missing <= 0 && this.read();
  }

  /** The same without asking what is there. */
  read(): boolean {
    const { channels } = this.#pcm;
    const into = this.#read === 0 ? this.#raw : this.#raw.subarray(this.#read * channels);
    const result = this.#pcm.read(into, this.#wanted - this.#read);
    if (result === EAGAIN) return false;
    if (result < 0) {
      this.#heal(result);
      return false;
    }
    this.#read += result;
    if (this.#read < this.#wanted) return false;
    this.#take(this.#change === undefined ? this.frame : this.#mono, this.#wanted);
    this.#change?.process(this.#mono, this.#wanted, this.frame);
    this.#read = 0;
    this.#wanted = this.#inputs();
    return true;
  }

  #inputs() {
    const { frameSamples } = this.#options.format;
    return this.#change?.inputsFor(frameSamples) ?? frameSamples;
  }

  /** The half of the pair that is the microphone, or the mean of both. */
  #take(into: Int16Array, frames: number) {
    const raw = this.#raw;
    const { channels } = this.#pcm;
    const half = this.#options.spec.microphoneSide ?? 'both';
    const first = channels > 1 && half === 'right' ? 1 : 0;
    const second = channels > 1 && half !== 'left' ? 1 : 0;
    for (let index = 0, at = 0; index < frames; index++, at += channels)
      into[index] = (raw[at + first]! + raw[at + second]!) >> 1;
  }

  #heal(result: number) {
    if (result !== EPIPE && result !== ESTRPIPE) this.#must(result);
    if (++this.#heals > MAX_HEALS_PER_RUN) this.#must(result);
    this.#options.counters.xruns++;
    this.#options.onXrun('capture');
    this.#read = 0;
    this.#must(this.#pcm.prepare());
    this.#must(this.#pcm.start());
  }

  #must(result: number) {
    if (result < 0) throw alsaError(`capture ${this.#options.spec.capture}`, result);
  }

  close() {
    this.#pcm.close();
  }
}
