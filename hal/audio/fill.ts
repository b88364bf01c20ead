/** Keeps what waits for the loudspeaker constant when its clock drifts from the microphone's: one sample at a time. */

/** Weight of the newest delay in the running mean: about 0.6 s, far longer than a scheduler's jitter. */
const MEAN_WEIGHT = 1 / 64;
/** The mean may stray this far before anything is done. Milliseconds. */
const TOLERANCE_MS = 2;
/** One sample in so many frames: at 16 kHz 780 ppm, several times the drift of the worst crystals. Frames. */
const FRAMES_PER_CORRECTION = 8;
/** A stream's first delays are rough; the mean of the next ones is what it is to be kept at. Frames. */
const SETTLING_FRAMES = 20;
const LEARNING_FRAMES = 64;
/** Beyond this a whole frame is left out at once: the excess came from a stall, not from drift. Milliseconds. */
const MAX_EXCESS_MS = 20;

/**
 * The target is learned from each start of the stream, because only its change is comparable: a sound server or a USB
 * card adds a constant of its own to the delay that it reports.
 */
export class PlaybackFill {
  readonly #rate: number;
  #target = 0;
  #mean = 0;
  #frames = 0;
  #framesSinceCorrection = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** After a restart of the stream the history says nothing. */
  reset() {
    this.#target = 0;
    this.#mean = 0;
    this.#frames = 0;
    this.#framesSinceCorrection = 0;
  }

  /** Told the samples still to be played before a frame is written, says how long to make the frame; 0 leaves it out. */
  frameLength(delaySamples: number, frameSamples: number): number {
    this.#frames++;
    const learned = this.#frames - SETTLING_FRAMES;
    if (learned <= 0) return frameSamples;
    if (learned <= LEARNING_FRAMES) {
      this.#target += (delaySamples - this.#target) / learned;
      this.#mean = this.#target;
      return frameSamples;
    }
    const inSamples = (ms: number) => (this.#rate * ms) / 1000;
    if (delaySamples - this.#target > inSamples(MAX_EXCESS_MS)) return 0;
    this.#mean += (delaySamples - this.#mean) * MEAN_WEIGHT;
    if (++this.#framesSinceCorrection < FRAMES_PER_CORRECTION) return frameSamples;
    const off = this.#mean - this.#target;
    if (Math.abs(off) <= inSamples(TOLERANCE_MS)) return frameSamples;
    this.#framesSinceCorrection = 0;
    return off > 0 ? frameSamples - 1 : frameSamples + 1;
  }
}

/** Writes `frame`, stretched or squeezed to `length` samples by straight lines between neighbours, into `into`. */
export function stretch(frame: Int16Array, into: Int16Array, length: number) {
  if (length === frame.length) {
    into.set(frame);
    return;
  }
  const step = (frame.length - 1) / (length - 1);
  for (let i = 0; i < length; i++) {
    const at = i * step;
    const left = Math.floor(at);
    const a = frame[left]!;
    const b = frame[Math.min(left + 1, frame.length - 1)]!;
    into[i] = Math.round(a + (b - a) * (at - left));
  }
}
