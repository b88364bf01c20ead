/** Time as the firmware sees it. Nothing outside this file reads the machine's clock or arms its timers. */
import type { Clock } from '../../hal/contracts.ts';

export type { Clock };

/** Milliseconds since 1970-01-01 UTC; may jump. For time stamps only, never for durations. */
export type WallClock = () => number;

export const wallClock: WallClock = () => Date.now();

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
