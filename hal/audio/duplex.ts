/** A microphone and a loudspeaker open together: whole frames under the microphone's clock, xruns healed, drift evened. */
import type { AudioCounters, AudioFormat, AudioProcess, AudioSpec } from '../contracts.ts';
import type { OpenPcm, Pcm, Side } from './alsa-library.ts';
import { alsaError, EAGAIN, EPIPE, ESTRPIPE } from './alsa-library.ts';
import { PlaybackFill, stretch } from './fill.ts';

/** The microphone may have so much in store after a stall. More is an overrun of any buffer that is worth having. */
const MAX_FRAMES_PER_RUN = 50;
/** A stream that cannot be brought back by so many tries within one run is broken. */
const MAX_HEALS_PER_RUN = 3;

export interface DuplexOptions {
  open: OpenPcm;
  spec: AudioSpec;
  format: AudioFormat;
  counters: AudioCounters;
  onXrun: (side: Side) => void;
}

export class Duplex {
  readonly periodMs: number;
  readonly bufferMs: number;
  readonly #options: DuplexOptions;
  readonly #capture: Pcm;
  readonly #playback: Pcm;
  readonly #fill: PlaybackFill;
  readonly #prefillFrames: number;
  readonly #captured: Int16Array;
  readonly #toPlay: Int16Array;
  /** As the card takes them: interleaved, and for playback with room for one sample more. */
  readonly #rawCapture: Int16Array;
  readonly #stretched: Int16Array;
  readonly #rawPlayback: Int16Array;
  readonly #silence: Int16Array;
  #read = 0;
  #heals = 0;
  #missing = 0;
  #delayMs = 0;
  #playing = false;
  #closed = false;

  /** Opens both sides. Throws HalError, and then holds neither. */
  constructor(options: DuplexOptions) {
    const { open, spec, format } = options;
    this.#options = options;
    const inFrames = (ms: number) => Math.round((format.rate * ms) / 1000);
    const bufferFrames = inFrames(spec.bufferMs);
    const common = { rate: format.rate, periodFrames: inFrames(spec.periodMs), bufferFrames, startFrames: 1 };
    this.#capture = open({ ...common, name: spec.capture, side: 'capture' });
    // Half the buffer is filled after each frame, as cushion against a late thread; half is room for bursts. A microphone
    // whose period is longer than asked for needs at least one of them as cushion.
    const startFrames = Math.max(Math.floor(bufferFrames / 2), this.#capture.periodFrames + format.frameSamples);
    const room = { ...common, startFrames, bufferFrames: Math.max(bufferFrames, 2 * startFrames) };
    try {
      this.#playback = open({ ...room, name: spec.playback, side: 'playback' });
    } catch (error) {
      this.#capture.close();
      throw error;
    }
    this.#prefillFrames = Math.max(0, Math.min(startFrames, this.#playback.bufferFrames) - format.frameSamples);
    this.#fill = new PlaybackFill(format.rate);
    this.#captured = new Int16Array(format.frameSamples);
    this.#toPlay = new Int16Array(format.frameSamples);
    this.#rawCapture = new Int16Array(format.frameSamples * this.#capture.channels);
    this.#stretched = new Int16Array(format.frameSamples + 1);
    this.#rawPlayback = new Int16Array((format.frameSamples + 1) * this.#playback.channels);
    this.#silence = new Int16Array(this.#prefillFrames * this.#playback.channels);
    const inMs = (frames: number) => (frames * 1000) / format.rate;
    this.periodMs = inMs(this.#capture.periodFrames);
    this.bufferMs = inMs(this.#playback.bufferFrames);
    this.#delayMs = inMs(this.#prefillFrames);
    this.#missing = format.frameSamples;
  }

  /** Starts the microphone; its first frame starts the loudspeaker. Throws HalError. */
  begin() {
    this.#must('capture', this.#capture.start());
  }

  /** Runs `process` for each whole frame that the microphone has, and returns how many. Throws HalError `gone`, `io`. */
  run(process: AudioProcess): number {
    const { frameSamples } = this.#options.format;
    this.#heals = 0;
    for (let frames = 0; frames < MAX_FRAMES_PER_RUN; frames++) {
      const available = this.#closed ? 0 : this.#capture.available();
      this.#missing = frameSamples - this.#read - Math.max(0, available);
      if (available < 0) this.#heal('capture', available);
      if (this.#missing > 0 || !this.#readFrame()) return frames;
      this.#toPlay.fill(0);
      process(this.#captured, this.#toPlay);
      // The process may have stopped the device.
      if (this.#closed) return frames + 1;
      this.#play();
    }
    return MAX_FRAMES_PER_RUN;
  }

  /** Reads away what waited while silence stood in for it, so that time is not given twice; the newest frame stays. */
  skipStale() {
    while (this.#capture.available() >= 2 * this.#options.format.frameSamples && this.#readFrame());
  }

  /** Until the microphone has the next whole frame, as far as is known. */
  get waitMs() {
    return Math.max(0, (this.#missing * 1000) / this.#options.format.rate);
  }

  get playbackDelayMs() {
    return this.#delayMs;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#capture.close();
    this.#playback.close();
  }

  /** True once a whole frame stands in `#captured`. */
  #readFrame(): boolean {
    const { frameSamples } = this.#options.format;
    const { channels } = this.#capture;
    const into = this.#read === 0 ? this.#rawCapture : this.#rawCapture.subarray(this.#read * channels);
    const result = this.#capture.read(into, frameSamples - this.#read);
    if (result === EAGAIN) return false;
    if (result < 0) {
      this.#heal('capture', result);
      return false;
    }
    this.#read += result;
    if (this.#read < frameSamples) return false;
    this.#read = 0;
    this.#toMono(channels);
    return true;
  }

  #toMono(channels: number) {
    if (channels === 1) {
      this.#captured.set(this.#rawCapture);
      return;
    }
    for (let i = 0; i < this.#captured.length; i++) {
      this.#captured[i] = (this.#rawCapture[2 * i]! + this.#rawCapture[2 * i + 1]!) >> 1;
    }
  }

  #play() {
    const { format, counters } = this.#options;
    // Frames that waited while the loudspeaker ran dry are stale: it starts again with the newest.
    if (!this.#playing && this.#capture.available() >= format.frameSamples) {
      counters.driftSamples += format.frameSamples;
      return;
    }
    if (!this.#playing) this.#prefill();
    const delay = this.#playback.delay();
    if (delay === EPIPE || delay === ESTRPIPE) {
      this.#heal('playback', delay);
      this.#play();
      return;
    }
    // A sound server does not know its delay at once (EIO): whether the stream lives, the write will say.
    if (delay >= 0) this.#delayMs = (delay * 1000) / format.rate;
    const length = delay < 0 ? format.frameSamples : this.#fill.frameLength(delay, format.frameSamples);
    counters.driftSamples += Math.abs(length - format.frameSamples);
    if (length === 0) return;
    stretch(this.#toPlay, this.#stretched, length);
    // A full buffer takes less, and the rest is lost: the loudspeaker must not fall behind the microphone.
    const result = this.#playback.write(this.#interleave(length), length);
    if (result < 0 && result !== EAGAIN) this.#heal('playback', result);
    else counters.driftSamples += length - Math.max(0, result);
  }

  #interleave(length: number): Int16Array {
    if (this.#playback.channels === 1) return this.#stretched;
    for (let i = 0; i < length; i++) this.#rawPlayback[2 * i] = this.#rawPlayback[2 * i + 1] = this.#stretched[i]!;
    return this.#rawPlayback;
  }

  /** So much silence that the frame after it reaches the start threshold. */
  #prefill() {
    this.#playing = true;
    this.#fill.reset();
    const result = this.#playback.write(this.#silence, this.#prefillFrames);
    if (result !== EAGAIN) this.#must('playback', result);
  }

  #heal(side: Side, result: number) {
    if (result !== EPIPE && result !== ESTRPIPE) this.#must(side, result);
    if (++this.#heals > MAX_HEALS_PER_RUN) this.#must(side, result);
    this.#options.counters.xruns++;
    this.#options.onXrun(side);
    if (side === 'playback') {
      this.#must(side, this.#playback.prepare());
      this.#playing = false;
    } else {
      this.#read = 0;
      this.#must(side, this.#capture.prepare());
      this.#must(side, this.#capture.start());
    }
  }

  #must(side: Side, result: number) {
    if (result < 0) throw alsaError(`${side} ${this.#options.spec[side]}`, result);
  }
}
