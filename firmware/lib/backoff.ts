/** Growing pauses between attempts, spread so that a site full of devices does not come back in one instant. */
import type { Random } from './random.ts';

export interface BackoffSettings {
  /** The first pause before jitter. */
  firstMs: number;
  /** No pause is longer. */
  limitMs: number;
  /** Growth from one pause to the next. */
  factor?: number;
  random: Random;
}

/**
 * Pauses in milliseconds, for ever. Equal jitter: half of each pause is sure, half is chance, so that neither a
 * herd forms nor a device hammers.
 */
export function* backoff({ firstMs, limitMs, factor = 2, random }: BackoffSettings): Generator<number, never> {
  for (let pauseMs = firstMs; ; pauseMs = Math.min(limitMs, pauseMs * factor)) {
    yield Math.round(pauseMs / 2 + (random.next() * pauseMs) / 2);
  }
}
