/**
 * Keeps what waits for the loudspeaker constant when its clock drifts from the microphone's: says by how much the sound is
 * to be squeezed, steadily and less than any ear hears, so that an echo canceller sees two clocks as one.
 */

const FRAMES_PER_SECOND = 100;
/** Weight of the newest reading in the running mean: about 0.6 s, far longer than a scheduler's jitter. */
const MEAN_WEIGHT = 1 / 64;
/** The mean may stray this far before anything is done: two sides of one crystal are left alone. Milliseconds. */
const TOLERANCE_MS = 1;
/** A stream's first readings are rough; the mean of the next ones is what it is to be kept at. Frames. */
const SETTLING_FRAMES = 20;
const LEARNING_FRAMES = 64;
/** Beyond this a whole frame is left out at once: the excess came from a stall, not from drift. Milliseconds. */
const MAX_EXCESS_MS = 20;
/** Speed of the control loop, radians per second: quick when drift is first seen, then ever calmer. */
const FIRST_SPEED = 0.1;
const LAST_SPEED = 0.03;
/** It is half as quick after each so many frames. */
const CALMER_FRAMES = 1000;
/** Worse crystals are not made; 5 cents of pitch are not heard. Parts of one. */
const MAX_DRIFT = 1e-3;
const MAX_SQUEEZE = 3e-3;

/** What `squeeze` says in place of a part: leave this frame out. */
export const LEAVE_OUT = Number.POSITIVE_INFINITY;

/**
 * The target is learned from each start of the stream, because only its change is comparable: a sound server or a USB
 * card adds a constant of its own to the delay that it reports.
 */
export class PlaybackFill {
  #targetMs = 0;
  #meanMs = 0;
  #frames = 0;
  /** Frames since drift was first seen; it is never forgotten. */
  #correcting = 0;
  /** By how much the loudspeaker's clock is slower than the microphone's, as far as is known; parts of one. */
  #drift = 0;

  /** By how much the loudspeaker's clock is slower than the microphone's. */
  get driftPpm() {
    return this.#drift * 1e6;
  }

  /** After a restart of the stream its delays say nothing; the crystals are the same. */
  reset() {
    this.#targetMs = 0;
    this.#meanMs = 0;
    this.#frames = 0;
  }

  /**
   * Told what waits between the microphone and the loudspeaker before a frame is written, says by what part of itself the
   * frame shall be shorter; below zero longer; or LEAVE_OUT.
   */
  squeeze(waitingMs: number): number {
    this.#frames++;
    const learned = this.#frames - SETTLING_FRAMES;
    if (learned <= 0) return this.#drift;
    if (learned <= LEARNING_FRAMES) {
      this.#targetMs += (waitingMs - this.#targetMs) / learned;
      this.#meanMs = this.#targetMs;
      return this.#drift;
    }
    if (waitingMs - this.#targetMs > MAX_EXCESS_MS) return LEAVE_OUT;
    this.#meanMs += (waitingMs - this.#meanMs) * MEAN_WEIGHT;
    if (this.#correcting === 0) this.#notice(learned - LEARNING_FRAMES / 2);
    if (this.#correcting === 0) return 0;
    const offMs = this.#meanMs - this.#targetMs;
    // A loop of second order, critically damped: its integral is the drift.
    const speed = Math.max(LAST_SPEED, FIRST_SPEED / 2 ** (this.#correcting++ / CALMER_FRAMES));
    const off = offMs / 1000;
    this.#drift = within(MAX_DRIFT, this.#drift + (speed * speed * off) / FRAMES_PER_SECOND);
    return within(MAX_SQUEEZE, this.#drift + 2 * speed * off);
  }

  /** How long it took to stray so far says how fast the clocks drift; what has grown so far may stay. */
  #notice(frames: number) {
    const offMs = this.#meanMs - this.#targetMs;
    if (Math.abs(offMs) <= TOLERANCE_MS) return;
    this.#correcting = 1;
    this.#drift = within(MAX_DRIFT, offMs / 1000 / (frames / FRAMES_PER_SECOND));
    this.#targetMs = this.#meanMs;
  }
}

const within = (limit: number, value: number) => Math.min(limit, Math.max(-limit, value));
