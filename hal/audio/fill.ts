/** Keeps the loudspeaker's buffer at its target when its clock drifts from the microphone's: one sample at a time. */

/** Weight of the newest fill in the running mean: about 0.6 s, far longer than a scheduler's jitter. */
const MEAN_WEIGHT = 1 / 64;
/** The mean may stray this far before anything is done. Milliseconds. */
const TOLERANCE_MS = 2;
/** One sample in so many frames: at 16 kHz 780 ppm, several times the drift of the worst crystals. Frames. */
const FRAMES_PER_CORRECTION = 8;

export class PlaybackFill {
  readonly #targetSamples: number;
  readonly #toleranceSamples: number;
  #mean: number;
  #framesSinceCorrection = 0;

  constructor(targetSamples: number, rate: number) {
    this.#targetSamples = targetSamples;
    this.#toleranceSamples = (rate * TOLERANCE_MS) / 1000;
    this.#mean = targetSamples;
  }

  /** After a restart of the stream the history says nothing. */
  reset() {
    this.#mean = this.#targetSamples;
    this.#framesSinceCorrection = 0;
  }

  /** Told the samples still unplayed before a frame is written, says how many samples longer it should be: -1, 0 or 1. */
  correction(fillSamples: number): -1 | 0 | 1 {
    this.#mean += (fillSamples - this.#mean) * MEAN_WEIGHT;
    this.#framesSinceCorrection++;
    if (this.#framesSinceCorrection < FRAMES_PER_CORRECTION) return 0;
    const off = this.#mean - this.#targetSamples;
    if (Math.abs(off) <= this.#toleranceSamples) return 0;
    this.#framesSinceCorrection = 0;
    return off > 0 ? -1 : 1;
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
