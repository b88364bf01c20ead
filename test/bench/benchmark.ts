/** What every benchmark is: a name, how it measures, and a run that fills a sheet. */
import type { Bench } from '../peers/support/bench.ts';
import type { Sheet } from './sheet.ts';

export interface BenchmarkOptions {
  /** How long one thing is measured. Seconds. */
  seconds: number;
  /** Where sounds are left for whoever wants to hear them; absent: nowhere. */
  keep?: string | undefined;
}

export interface Benchmark {
  name: string;
  /** One line for `--help`. */
  title: string;
  how: string;
  /**
   * Throws `Unavailable` where this machine cannot measure any of it. Whatever it starts belongs to `bench`, which is
   * stopped after it, also when it fails.
   */
  run(sheet: Sheet, bench: Bench, options: BenchmarkOptions): Promise<void>;
}
