/** How a thread that must be in time gets the processor before all others, as far as this user may. */
import { availableParallelism, constants, setPriority } from 'node:os';
import { loadKoffi } from './native.ts';

/** linux/sched.h: in turn with its equals, and what the thread starts is like everybody else. */
const SCHED_RR = 2;
const RESET_ON_FORK = 0x4000_0000;
/** Of 1 to 99: behind what the kernel itself does for interrupts (50), as other programs of sound do. */
const REAL_TIME_PRIORITY = 10;

export interface Scheduler {
  /** Processors that this process may use. */
  processors: number;
  /** `sched_setscheduler(2)` for the calling thread: zero, or −1. Throws where it cannot be asked. */
  setScheduler(policy: number, priority: number): number;
  /** On Linux of the calling thread alone. Throws where it may not. */
  setNice(priority: number): void;
}

export type Priority = 'real time' | 'high' | 'normal';

/**
 * Being nice counts within a session or a service only, and not against other ones; real time does. Not on a single
 * processor, where a thread that has too much to do would leave nothing to the others.
 */
export function goFirst(scheduler: Scheduler): Priority {
  if (scheduler.processors > 1 && isRealTime(scheduler)) return 'real time';
  try {
    scheduler.setNice(constants.priority.PRIORITY_HIGH);
    return 'high';
  } catch {
    return 'normal';
  }
}

function isRealTime(scheduler: Scheduler): boolean {
  try {
    return scheduler.setScheduler(SCHED_RR | RESET_ON_FORK, REAL_TIME_PRIORITY) === 0;
  } catch {
    // Without koffi, or on another system than Linux.
    return false;
  }
}

/** That of this machine. */
export const linuxScheduler: Scheduler = {
  processors: availableParallelism(),
  setScheduler(policy, priority) {
    const parameter = Buffer.alloc(4);
    parameter.writeInt32LE(priority);
    return loadKoffi().load(null).func('int sched_setscheduler(int, int, const void *)')(0, policy, parameter);
  },
  setNice: setPriority,
};
