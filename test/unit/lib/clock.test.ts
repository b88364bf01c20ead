import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY_MS = 86_400_000;

test('a task of a year from now runs in a year, once', () => {
  let runs = 0;
  systemClock.after(365 * DAY_MS, () => runs++);
  vi.advanceTimersByTime(365 * DAY_MS - 1);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([10, 30 * DAY_MS, 60 * DAY_MS])('a task of %d ms from now can be taken back at any time', delayMs => {
  let runs = 0;
  const cancel = systemClock.after(delayMs, () => runs++);
  vi.advanceTimersByTime(delayMs - 1);
  cancel();
  vi.advanceTimersByTime(10 * DAY_MS);
  expect(runs).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
