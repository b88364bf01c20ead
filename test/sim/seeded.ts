/** Chance that a seed decides: the same seed gives the same run. */
import type { Random } from '../../firmware/lib/random.ts';

/** Small fast 32-bit generator (mulberry32): good enough to choose faults, never for secrets. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const uint32 = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    uint32,
    next: () => uint32() / 2 ** 32,
    token: bytes => Array.from({ length: bytes }, () => (uint32() & 0xff).toString(16).padStart(2, '0')).join(''),
  };
}
