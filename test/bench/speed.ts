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
export async function speed(work: () => number, seconds: number): Promise<number[]> {
  let calls = 1;
  const burst = (count: number) => {
    const startMs = performance.now();
    for (let call = 0; call < count; call++) sunk += work();
    return performance.now() - startMs;
  };
  const warmMs = performance.now() + WARM_UP_S * 1000;
  while (performance.now() < warmMs) if (burst(calls) < CHUNK_MS) calls *= 2;
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever interrupts is heard between two rounds.
    await new Promise(resolve => setImmediate(resolve));
    let done = 0;
    const startMs = performance.now();
    const endMs = startMs + (seconds * 1000) / ROUNDS;
    let nowMs = startMs;
    while (nowMs < endMs) {
      burst(calls);
      done += calls;
      nowMs = performance.now();
    }
    rates.push((done * 1000) / (nowMs - startMs));
  }
  if (!Number.isFinite(sunk)) throw new Error('the work gave back no number');
  return rates;
}

const ALLOCATION_ROUNDS = 30;

/** Bytes of heap that one call of `work` leaves behind; rounds in which the collector ran are left out. */
export function allocated(work: () => number, calls: number): number[] {
  const values: number[] = [];
  for (let round = 0; round < ALLOCATION_ROUNDS; round++) {
    const collector = new GCProfiler();
    collector.start();
    const before = process.memoryUsage().heapUsed;
    for (let call = 0; call < calls; call++) sunk += work();
    const after = process.memoryUsage().heapUsed;
    if (collector.stop().statistics.length === 0) values.push((after - before) / calls);
  }
  return values;
}
