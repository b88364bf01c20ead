/** Waiting in tests of real software: a condition with a limit, never a sleep that hopes. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
/** Long enough for two busy cores; a test that waits so long fails. */
const LIMIT_MS = 15_000;

/**
 * Resolves with the first value of `look` that is neither undefined nor false. Rejects with `what` and what `detail`
 * tells when the limit has passed.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { withinMs = LIMIT_MS, detail = () => '' }: { withinMs?: number; detail?: () => string } = {},
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > endMs) throw new Error(`not seen within ${withinMs / 1000} s: ${what}\n${detail()}`);
    await delay(POLL_MS);
  }
}

/** Lets real time pass, for sound to be spoken and heard. Nothing is concluded from it. */
export const passes = (ms: number) => delay(ms);
