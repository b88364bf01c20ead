/** When a frame will be heard: what the sound card says of its delay, made steady. */
import { FRAME_MS } from '../audio/frame.ts';

/** Of a new word of the card so much counts: a second or so, far longer than a scheduler's hesitation. The first count more. */
const FRAMES_AVERAGED = 64;
/** Further off for so many frames in a row, it is no hesitation: the card was opened anew, or sound was left out. */
const JUMP_MS = 5;
const JUMP_FRAMES = 20;

export class LoudspeakerClock {
  #heardMs = 0;
  #frames = 0;
  #off = 0;

  /** At each frame, as it is made: the instant at which its first sample leaves the loudspeaker. */
  next(nowMs: number, heardInMs: number): number {
    const expectedMs = this.#heardMs + FRAME_MS;
    const strayMs = nowMs + heardInMs - expectedMs;
    this.#off = Math.abs(strayMs) > JUMP_MS ? this.#off + 1 : 0;
    if (this.#off >= JUMP_FRAMES) this.#frames = this.#off = 0;
    this.#frames++;
    this.#heardMs = expectedMs + strayMs / Math.min(this.#frames, FRAMES_AVERAGED);
    return this.#heardMs;
  }
}
