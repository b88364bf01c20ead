/** How often something can be done in a second of the processor's time, by doing it. */
import { GCProfiler } from 'node:v8';

/** So many measurements, each of an equal part of the time. */
const ROUNDS = 7;
/** Before anything counts the compiler has seen enough of it; less where little time is given. Seconds. */
const WARM_UP_S = 0.5;
/** Between two looks at the clock. Milliseconds. */
const CHUNK_MS = 2;

/** All threads of this process have run so long: what others do on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What the work gave back, so that no compiler finds it useless. */
let sunk = 0;

/** `work` returns a number that depends on what it did. Calls per second, one value a round. */
export const speed = async (work: () => number, seconds: number): Promise<number[]> =>
  (await speeds([work], seconds))[0]!;

/** The same of several, in turn within each round, so that whatever disturbs the machine disturbs them all. */
export async function speeds(works: readonly (() => number)[], seconds: number): Promise<number[][]> {
  const lanes = works.map(work => ({ work, calls: warmUp(work, Math.min(WARM_UP_S, seconds)), rates: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { work, calls, rates } of lanes) {
      // Whoever interrupts is heard between two rounds.
      await new Promise(resolve => setImmediate(resolve));
      let done = 0;
      const startMs = cpuMs();
      const endMs = startMs + (seconds * 1000) / ROUNDS;
      let nowMs = startMs;
      while (nowMs < endMs) {
        burst(work, calls);
        done += calls;
        nowMs = cpuMs();
      }
      rates.push((done * 1000) / (nowMs - startMs));
    }
  }
  if (!Number.isFinite(sunk)) throw new Error('the work gave back no number');
  return lanes.map(({ rates }) => rates);
}

/** So many calls in a row take about as long as there should be between two looks at the clock. */
function warmUp(work: () => number, forS: number): number {
  let calls = 1;
  const warmMs = cpuMs() + forS * 1000;
  while (cpuMs() < warmMs) if (burst(work, calls) < CHUNK_MS) calls *= 2;
  return calls;
}

function burst(work: () => number, count: number): number {
  const startMs = cpuMs();
  for (let call = 0; call < count; call++) sunk += work();
  return cpuMs() - startMs;
}

const ALLOCATION_ROUNDS = 30;
const MOST_CALLS_IN_A_ROW = 64;
/** What the calls of one round may leave behind without the collector being called. Bytes. */
const ROUND_BYTES = 4 * 2 ** 20;

/** Bytes of heap that one call of `work` leaves behind; rounds in which the collector ran are left out. */
export function allocated(work: () => number): number[] {
  const first = heapOf(work, 1) ?? ROUND_BYTES;
  const calls = Math.max(1, Math.min(MOST_CALLS_IN_A_ROW, Math.floor(ROUND_BYTES / first)));
  const values: number[] = [];
  for (let round = 0; round < ALLOCATION_ROUNDS; round++) {
    const bytes = heapOf(work, calls);
    if (bytes !== undefined) values.push(bytes / calls);
  }
  return values;
}

/** undefined: the collector ran. */
function heapOf(work: () => number, calls: number): number | undefined {
  const collector = new GCProfiler();
  collector.start();
  const before = process.memoryUsage().heapUsed;
  for (let call = 0; call < calls; call++) sunk += work();
  const after = process.memoryUsage().heapUsed;
  return collector.stop().statistics.length === 0 ? after - before : undefined;
}
