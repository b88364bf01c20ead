/** What the wall clock showed when, where it can be relied upon: to compare with what the wall clock of a sender showed. */
import type { Clock, WallClock } from '../lib/clock.ts';

/** Beyond this the kernel's word for the wall clock is none. Milliseconds. */
const MAX_ERROR_MS = 10;
/** It is read in whole milliseconds: so many looks are averaged. */
const LOOKS_AVERAGED = 64;
/** A wall clock that was set is looked at anew. */
const JUMP_MS = 20;

export interface TimeHereParts {
  clock: Clock;
  wallClock: WallClock;
  /** How far the wall clock may be off; undefined: nobody keeps it right. */
  wallClockErrorMs(): number | undefined;
}

export class TimeHere {
  readonly #parts: TimeHereParts;
  /** Wall clock less clock. */
  #offsetMs = 0;
  #looks = 0;

  constructor(parts: TimeHereParts) {
    this.#parts = parts;
  }

  /** From time to time. */
  look(nowMs: number) {
    const strayMs = this.#parts.wallClock() - nowMs - this.#offsetMs;
    if (Math.abs(strayMs) > JUMP_MS) this.#looks = 0;
    this.#looks++;
    this.#offsetMs += strayMs / Math.min(this.#looks, LOOKS_AVERAGED);
  }

  /** When the wall clock showed this; undefined where it cannot be relied upon. */
  readonly of = (unixMs: number): number | undefined => {
    const errorMs = this.#parts.wallClockErrorMs();
    return errorMs === undefined || errorMs > MAX_ERROR_MS ? undefined : unixMs - this.#offsetMs;
  };
}
