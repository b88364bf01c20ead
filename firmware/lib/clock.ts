/** Time as the firmware sees it. Nothing outside this file reads the machine's clock or arms its timers. */
import type { Clock } from '../../hal/contracts.ts';

export type { Clock };

/** Milliseconds since 1970-01-01 UTC; may jump. For time stamps only, never for durations. */
export type WallClock = () => number;

export const wallClock: WallClock = () => Date.now();

/** Node runs a longer timer at once: a registrar that grants a year would be asked again in the next millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Taken once: to look it up each time goes through a getter of Node's. */
const { performance } = globalThis;

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, task) => {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      timer =
        leftMs > LONGEST_TIMER_MS
          ? setTimeout(() => arm(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(task, leftMs);
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
