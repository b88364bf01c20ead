import { expect, test } from 'vitest';
import { wallClockError } from '../../../firmware/lib/kept-clock.ts';

test('the kernel says how far the wall clock may be off, or that nobody keeps it', () => {
  const errorMs = wallClockError()();
  // Its own limit is 16 s (NTP_PHASE_LIMIT); it grows by half a millisecond each second without news.
  if (errorMs !== undefined) expect([errorMs >= 0, errorMs <= 16_000]).toEqual([true, true]);
});
