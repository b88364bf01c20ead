/**
 * Hold and resume of one call: what is wanted here, what the peer has been told, and the offers in between
 * (RFC 3264 §8.4). One offer at a time; a wish that changes meanwhile is offered next.
 */
import type { Clock } from '../lib/clock.ts';

/** An offer that met another one is made again after this. Milliseconds. */
const AGAIN_MS = 1_000;
/** So often; then the sound stays as it is wanted here, and the peer is not told. */
const MOST_TRIES = 20;

export interface HoldParts {
  clock: Clock;
  /** Sends the offer; how it ends is told to `ended`, perhaps before this returns. */
  offer(): void;
  /** The peer does not take it. */
  onRefused(held: boolean, status: number): void;
}

export class Hold {
  readonly #parts: HoldParts;
  #wanted = false;
  #told = false;
  #offering: boolean | undefined;
  #tries = 0;
  #cancel = () => {};

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  get wanted() {
    return this.#wanted;
  }

  want(held: boolean) {
    if (held === this.#wanted) return;
    this.#wanted = held;
    this.#tries = 0;
    this.#settle();
  }

  /** An offer of ours was answered, or refused with this status. It may have been another one than `offer`. */
  ended(status?: number) {
    const said = this.#offering;
    if (said === undefined) return;
    this.#offering = undefined;
    if (status === 491 && this.#tries < MOST_TRIES) {
      this.#tries++;
      this.#cancel();
      this.#cancel = this.#parts.clock.after(AGAIN_MS, () => this.#settle(), 'hold again');
      return;
    }
    this.#told = said;
    if (status !== undefined) this.#parts.onRefused(said, status);
    this.#settle();
  }

  stop() {
    this.#cancel();
    this.#offering = undefined;
    this.#told = this.#wanted;
  }

  #settle() {
    if (this.#wanted === this.#told || this.#offering !== undefined) return;
    this.#offering = this.#wanted;
    this.#parts.offer();
  }
}
