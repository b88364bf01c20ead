/** How long a registration that failed waits before it is tried again: longer each time, for ever. */
import { backoff } from '../lib/backoff.ts';
import type { Random } from '../lib/random.ts';

/** Pauses after a failure: short at first, since a door that cannot be called is useless. */
const firstRetryMs = 4_000;
export const retryLimitMs = 300_000;
/** The same for a way beside others that work (RFC 5626 §4.5). */
const spareRetryMs = 90_000;
const spareRetryLimitMs = 1_800_000;

export class RegistrationPatience {
  readonly #random: Random;
  readonly #othersAreUp: () => boolean;
  /** Begun with the first failure. */
  #pauses: { areOfSpare: boolean; next: Generator<number, never> } | undefined;

  /** `othersAreUp`: we can be called by another way meanwhile. */
  constructor(random: Random, othersAreUp: () => boolean) {
    this.#random = random;
    this.#othersAreUp = othersAreUp;
  }

  /** Milliseconds. */
  nextPause(): number {
    const areOfSpare = this.#othersAreUp();
    if (this.#pauses?.areOfSpare !== areOfSpare) {
      const [firstMs, limitMs] = areOfSpare ? [spareRetryMs, spareRetryLimitMs] : [firstRetryMs, retryLimitMs];
      this.#pauses = { areOfSpare, next: backoff({ firstMs, limitMs, random: this.#random }) };
    }
    return this.#pauses.next.next().value;
  }

  /** It works, or everything is different now. */
  reset() {
    this.#pauses = undefined;
  }
}
