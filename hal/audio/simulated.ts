/** A sound card made of a clock: hears a WAV file or a function, plays into a WAV file or a function. */
import type {
  AudioCounters,
  AudioDevice,
  AudioFormat,
  AudioProcess,
  AudioSpec,
  AudioStatus,
  CardGain,
  Clock,
} from '../contracts.ts';
import { HalError } from '../contracts.ts';
import { audioFormat, noCounts } from './format.ts';
import { Pacer } from './pace.ts';
import { readWav, WavWriter } from './wav.ts';

export interface SimulatedAudioOptions {
  spec: AudioSpec;
  clock: Clock;
  /** What the microphone hears: fills `frame` (given as silence). In place of `spec.captureFile`. */
  source?: (frame: Int16Array, index: number) => void;
  /** What the loudspeaker plays; `frame` is reused. Besides `spec.playbackFile`. */
  sink?: (frame: Int16Array, index: number) => void;
  /** The same for the line out. */
  lineSink?: (frame: Int16Array, index: number) => void;
  /** What the card says of its delay. Absent: none. */
  playbackDelayMs?: () => number;
}

export class SimulatedAudio implements AudioDevice {
  readonly driver = 'simulated';
  readonly format: AudioFormat;
  readonly counters: AudioCounters = noCounts();
  readonly #options: SimulatedAudioOptions;
  readonly #pacer: Pacer;
  readonly #captured: Int16Array;
  readonly #toPlay: Int16Array;
  readonly #lineOut: Int16Array;
  #process: AudioProcess = () => {};
  #onStatus: (status: AudioStatus) => void = () => {};
  #loop: Int16Array | undefined;
  #loopAt = 0;
  #recording: WavWriter | undefined;
  #up = false;

  /** Throws HalError `unsupported` for a rate that no card has. */
  constructor(options: SimulatedAudioOptions) {
    this.#options = options;
    this.format = audioFormat(options.spec.rate);
    this.#captured = new Int16Array(this.format.frameSamples);
    this.#toPlay = new Int16Array(this.format.frameSamples);
    this.#lineOut = new Int16Array(this.format.frameSamples);
    this.#pacer = new Pacer(
      options.clock,
      () => this.#frame(),
      () => {
        this.counters.xruns++;
        this.#onStatus({ is: 'xrun', side: 'capture' });
      },
      options.spec.periodMs,
    );
  }

  start(process: AudioProcess, onStatus: (status: AudioStatus) => void) {
    this.#process = process;
    this.#onStatus = onStatus;
    const { captureFile, playbackFile } = this.#options.spec;
    try {
      this.#loop = captureFile === undefined ? undefined : this.#readLoop(captureFile);
      this.#recording = playbackFile === undefined ? undefined : new WavWriter(playbackFile, this.format.rate);
      this.#pacer.start();
      this.plug();
    } catch (error) {
      this.#pacer.start();
      this.#down(error);
    }
  }

  stop() {
    this.#pacer.stop();
    this.#recording?.close();
    this.#recording = undefined;
    return Promise.resolve();
  }

  setGain(): CardGain {
    return { faults: [] };
  }

  playbackDelayMs() {
    return this.#options.playbackDelayMs?.() ?? 0;
  }

  heardInMs() {
    return this.playbackDelayMs() - this.#pacer.lateMs;
  }

  /** Takes the card away: frames go on with silence and nothing is heard, until `plug`. */
  unplug(why = 'the simulated card was unplugged') {
    this.#down(new HalError('gone', why));
  }

  plug() {
    this.#up = true;
    const { capture, playback, periodMs } = this.#options.spec;
    this.#onStatus({ is: 'up', capture, playback, format: this.format, periodMs, bufferMs: periodMs });
  }

  #down(error: unknown) {
    this.#up = false;
    const code = error instanceof HalError ? error.code : 'io';
    this.#onStatus({ is: 'down', why: error instanceof Error ? error.message : String(error), code });
  }

  #readLoop(path: string) {
    const { rate, samples } = readWav(path);
    if (rate !== this.format.rate) {
      throw new HalError(
        'unsupported',
        `${path} has ${rate} samples a second and the card ${this.format.rate}: convert it`,
      );
    }
    return samples.length === 0 ? undefined : samples;
  }

  #frame() {
    const index = this.counters.frames++;
    this.#captured.fill(0);
    this.#toPlay.fill(0);
    this.#lineOut.fill(0);
    if (this.#up) this.#hear(index);
    else this.counters.silentFrames++;
    this.#process(this.#captured, this.#toPlay, this.#lineOut);
    if (this.#up) this.#play(index);
  }

  #hear(index: number) {
    if (this.#options.source !== undefined) return this.#options.source(this.#captured, index);
    const loop = this.#loop;
    if (loop === undefined) return;
    let at = this.#loopAt;
    for (let i = 0; i < this.#captured.length; i++) {
      this.#captured[i] = loop[at]!;
      if (++at === loop.length) at = 0;
    }
    this.#loopAt = at;
  }

  #play(index: number) {
    this.#options.sink?.(this.#toPlay, index);
    this.#options.lineSink?.(this.#lineOut, index);
    try {
      this.#recording?.write(this.#toPlay);
    } catch (error) {
      this.#recording = undefined;
      this.#down(error);
    }
  }
}
