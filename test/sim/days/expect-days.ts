/** Days as tests: so many seeds from one on, none with a fault. */
import { expect, test } from 'vitest';
import { playDay, taleOf } from './days.ts';

const PER_TEST = 100;

export function expectGoodDays(from: number, count: number) {
  for (let first = from; first < from + count; first += PER_TEST) {
    const last = Math.min(first + PER_TEST, from + count) - 1;
    test(`seeds ${first} to ${last}: calls end once, nothing is left behind, the registration is back in time`, async () => {
      for (let seed = first; seed <= last; seed++) {
        const result = await playDay(seed);
        if (result.faults.length > 0) expect.fail(taleOf(result));
      }
    });
  }
}
