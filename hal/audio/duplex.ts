/** A microphone and a loudspeaker open together: whole frames under the microphone's clock, on one card or two. */
import type { AudioCounters, AudioFormat, AudioProcess, AudioSpec } from '../contracts.ts';
import type { Side } from './alsa-library.ts';
import { Loudspeaker } from './loudspeaker.ts';
import { Microphone } from './microphone.ts';
import type { Sides } from './sides.ts';

/** The microphone may have so much in store after a stall. More is an overrun of any buffer that is worth having. */
const MAX_FRAMES_PER_RUN = 50;

export interface DuplexOptions {
  sides: Sides;
  spec: AudioSpec;
  format: AudioFormat;
  counters: AudioCounters;
  onXrun: (side: Side) => void;
}

export class Duplex {
  readonly periodMs: number;
  readonly bufferMs: number;
  /** As ALSA names them; undefined where a side is a sound server. */
  readonly cards: { capture: string | undefined; playback: string | undefined };
  readonly #options: DuplexOptions;
  readonly #microphone: Microphone;
  readonly #loudspeaker: Loudspeaker;
  readonly #toPlay: Int16Array;
  readonly #lineOut: Int16Array;
  #closed = false;

  /** From then on the sides are the duplex's to close. */
  constructor(options: DuplexOptions) {
    const { format, sides } = options;
    const { capture, playback, startFrames } = sides;
    this.#options = options;
    this.#microphone = new Microphone({ ...options, pcm: capture });
    this.#loudspeaker = new Loudspeaker({ ...options, pcm: playback, startFrames });
    this.#toPlay = new Int16Array(format.frameSamples);
    this.#lineOut = new Int16Array(format.frameSamples);
    this.cards = { capture: capture.card, playback: playback.card };
    this.periodMs = (capture.periodFrames * 1000) / capture.rate;
    this.bufferMs = (playback.bufferFrames * 1000) / playback.rate;
  }

  /** Starts the microphone; its first frame starts the loudspeaker. Throws HalError. */
  begin() {
    this.#microphone.start();
  }

  /** Runs `process` for each whole frame that the microphone has, and returns how many. Throws HalError `gone`, `io`. */
  run(process: AudioProcess): number {
    this.#microphone.beginRun();
    this.#loudspeaker.beginRun();
    for (let frames = 0; frames < MAX_FRAMES_PER_RUN; frames++) {
      if (this.#closed || !this.#microphone.next()) return frames;
      this.#toPlay.fill(0);
      this.#lineOut.fill(0);
      process(this.#microphone.frame, this.#toPlay, this.#lineOut);
      // The process may have stopped the device.
      if (this.#closed) return frames + 1;
      this.#play();
    }
    return MAX_FRAMES_PER_RUN;
  }

  /** Reads away what waited while silence stood in for it, so that time is not given twice; the newest frame stays. */
  skipStale() {
    while (this.#microphone.has(2) && this.#microphone.read());
  }

  /** Until the microphone has the next whole frame, as far as is known. */
  get waitMs() {
    return this.#microphone.waitMs;
  }

  get playbackDelayMs() {
    return this.#loudspeaker.delayMs;
  }

  heardInMs(): number {
    return this.#loudspeaker.delayNowMs();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#microphone.close();
    this.#loudspeaker.close();
  }

  #play() {
    // Frames that waited while the loudspeaker ran dry are stale: it starts again with the newest.
    if (!this.#loudspeaker.isPlaying && this.#microphone.has(1)) {
      this.#options.counters.driftSamples += this.#options.format.frameSamples;
      return;
    }
    this.#loudspeaker.play(this.#toPlay, this.#lineOut, this.#microphone.waitingMs());
  }
}
