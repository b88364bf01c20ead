import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { goFirst, type Scheduler } from '../../../hal/thread-priority.ts';

/** A kernel that allows so much. */
function kernel({ processors = 4, realTime = true, nice = true, koffi = true } = {}) {
  const asked: string[] = [];
  const scheduler: Scheduler = {
    processors,
    setScheduler(policy, priority) {
      if (!koffi) throw new Error('the package koffi is not installed');
      asked.push(`policy ${policy.toString(16)} ${priority}`);
      return realTime ? 0 : -1;
    },
    setNice(priority) {
      asked.push(`nice ${priority}`);
      if (!nice) throw new Error('EACCES');
    },
  };
  return { asked, scheduler };
}

test.each([
  ['real time where it may, and what it starts is not', {}, 'real time', ['policy 40000002 10']],
  [
    'nicer than nobody where real time is forbidden',
    { realTime: false },
    'high',
    ['policy 40000002 10', `nice ${constants.priority.PRIORITY_HIGH}`],
  ],
  ['the same without the way to ask', { koffi: false }, 'high', [`nice ${constants.priority.PRIORITY_HIGH}`]],
  [
    'the same on a single processor, which others need too',
    { processors: 1 },
    'high',
    [`nice ${constants.priority.PRIORITY_HIGH}`],
  ],
  [
    'as everybody where nothing is allowed',
    { realTime: false, nice: false },
    'normal',
    ['policy 40000002 10', `nice ${constants.priority.PRIORITY_HIGH}`],
  ],
] as const)('%s', (_, allowed, priority, asked) => {
  const { scheduler, asked: was } = kernel(allowed);
  expect(goFirst(scheduler)).toBe(priority);
  expect(was).toEqual(asked);
});
