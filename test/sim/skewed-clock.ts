/** A crystal that runs a little fast or slow, and began at another time. */
import type { Clock } from '../../firmware/lib/clock.ts';

/** `ppm`: of a million milliseconds of `clock` it counts so many more. */
export function skewed(clock: Clock, ppm: number, startMs = 0): Clock {
  const pace = 1 + ppm / 1e6;
  return {
    now: () => startMs + clock.now() * pace,
    after: (delayMs, task, name) => clock.after(delayMs / pace, task, name),
  };
}
