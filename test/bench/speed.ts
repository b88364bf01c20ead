/** How often something can be done in a second, by doing it. */
import { GCProfiler } from 'node:v8';

/** So many measurements, each of an equal part of the time. */
const ROUNDS = 7;
/** Before anything counts the compiler has seen enough of it. Seconds. */
const WARM_UP_S = 0.5;
/** Between two looks at the clock. Milliseconds. */
const CHUNK_MS = 2;

/** What the work gave back, so that no compiler finds it useless. */
let sunk = 0;

/** `work` returns a number that depends on what it did. Calls per second, one value a round. */
export const speed = async (work: () => number, seconds: number): Promise<number[]> =>
  (await speeds([work], seconds))[0]!;

/** The same of several, in turn within each round, so that whatever disturbs the machine disturbs them all. */
export async function speeds(works: readonly (() => number)[], seconds: number): Promise<number[][]> {
  const lanes = works.map(work => ({ work, calls: warmUp(work), rates: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { work, calls, rates } of lanes) {
      // Whoever interrupts is heard between two rounds.
      await new Promise(resolve => setImmediate(resolve));
      let done = 0;
      const startMs = performance.now();
      const endMs = startMs + (seconds * 1000) / ROUNDS;
      let nowMs = startMs;
      while (nowMs < endMs) {
        burst(work, calls);
        done += calls;
        nowMs = performance.now();
      }
      rates.push((done * 1000) / (nowMs - startMs));
    }
  }
  if (!Number.isFinite(sunk)) throw new Error('the work gave back no number');
  return lanes.map(({ rates }) => rates);
}

/** So many calls in a row take about as long as there should be between two looks at the clock. */
function warmUp(work: () => number): number {
  let calls = 1;
  const warmMs = performance.now() + WARM_UP_S * 1000;
  while (performance.now() < warmMs) if (burst(work, calls) < CHUNK_MS) calls *= 2;
  return calls;
}

function burst(work: () => number, count: number): number {
  const startMs = performance.now();
  for (let call = 0; call < count; call++) sunk += work();
  return performance.now() - startMs;
}

const ALLOCATION_ROUNDS = 30;
const MOST_CALLS_IN_A_ROW = 64;

/**
 * Bytes of heap that one call of `work` leaves behind. Rounds in which the collector ran are left out; where it ran in
 * most, a round has fewer calls.
 */
export function allocated(work: () => number): number[] {
  for (let calls = MOST_CALLS_IN_A_ROW; ; calls /= 2) {
    const values: number[] = [];
    for (let round = 0; round < ALLOCATION_ROUNDS; round++) {
      const collector = new GCProfiler();
      collector.start();
      const before = process.memoryUsage().heapUsed;
      for (let call = 0; call < calls; call++) sunk += work();
      const after = process.memoryUsage().heapUsed;
      if (collector.stop().statistics.length === 0) values.push((after - before) / calls);
    }
    if (values.length > ALLOCATION_ROUNDS / 2 || calls === 1) return values;
  }
}
