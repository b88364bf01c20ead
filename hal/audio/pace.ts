/** Frames at their pace from a clock: each is due at a multiple of 10 ms after the start, so that delays never add up. */
import type { Clock } from '../contracts.ts';

export const FRAME_MS = 10;
/** After a longer stall than this the frames in between are dropped rather than run in a burst. Frames. */
export const MAX_CATCH_UP_FRAMES = 50;
/** In a row. A thread too slow for its frames must still hear that a call has ended. */
export const MAX_FRAMES_AT_ONCE = 10;

export class Pacer {
  readonly #clock: Clock;
  readonly #frame: () => void;
  readonly #onSkip: () => void;
  /** Run one after the other when the first timer after the last of them fires. */
  readonly #group: number;
  #startMs = 0;
  #frames = 0;
  #cancel: (() => void) | undefined;

  /** `onSkip` hears of each stall that was too long to catch up with. `periodMs`: frames come so many at once, as a card gives them. */
  constructor(clock: Clock, frame: () => void, onSkip: () => void = () => {}, periodMs = FRAME_MS) {
    this.#group = Math.max(1, Math.floor(periodMs / FRAME_MS));
    this.#clock = clock;
    this.#frame = frame;
    this.#onSkip = onSkip;
  }

  get running() {
    return this.#cancel !== undefined;
  }

  start() {
    if (this.running) return;
    this.#startMs = this.#clock.now();
    this.#frames = 0;
    this.#arm();
  }

  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Within a frame: how much later it is than it should be. */
  get lateMs() {
    return this.#clock.now() - this.#startMs - this.#frames * FRAME_MS;
  }

  #dueMs() {
    return this.#startMs + (this.#frames + this.#group) * FRAME_MS;
  }

  #arm() {
    this.#cancel = this.#clock.after(Math.max(0, this.#dueMs() - this.#clock.now()), () => this.#tick(), 'sound frame');
  }

  #tick() {
    const lateFrames = Math.floor((this.#clock.now() - this.#dueMs()) / FRAME_MS);
    if (lateFrames > MAX_CATCH_UP_FRAMES) {
      this.#frames += lateFrames - (lateFrames % this.#group);
      this.#onSkip();
    }
    // Timers may fire a fraction early: the frame whose timer this is runs in any case.
    const last = this.#frames + MAX_FRAMES_AT_ONCE;
    do {
      for (let left = this.#group; left > 0 && this.running; left--) {
        this.#frames++;
        this.#frame();
      }
    } while (this.running && this.#frames < last && this.#dueMs() <= this.#clock.now());
    if (this.running) this.#arm();
  }
}
