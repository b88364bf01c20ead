/** A part of a benchmark with a bench of its own: what it starts is gone before the next part, and when all is stopped. */
import { Bench } from '../peers/support/bench.ts';

export async function within<T>(outer: Bench, work: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = new Bench();
  outer.onStop(() => bench.stop());
  try {
    return await work(bench);
  } finally {
    await bench.stop();
  }
}
