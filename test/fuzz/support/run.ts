/** Feeds inputs to targets, by their shares, and keeps the books: how they ended, how long they took, what went wrong. */
import { seeded } from '../../sim/seeded.ts';
import type { Target } from './targets.ts';

/** An input that takes so many times as long as the middle one, and longer than `slowMs`, hangs. */
const slowFactor = 200;
/** Below this nothing is called slow. Milliseconds; of processor time, the best of three, where it can be done again. */
const slowMs = 50;
/** Failures of one target after which it is left in peace. */
const failureLimit = 20;

export interface Failure {
  target: string;
  /** Of the run's seed: `--only TARGET` does not change it. */
  index: number;
  why: string;
  input: Buffer;
}

export interface Book {
  inputs: number;
  /** How it ended → how often. */
  ends: Record<string, number>;
  /** By halves of a power of two, microseconds: [n] counts up to 2^(n/2). */
  times: number[];
  slowestMs: number;
  slowest: Buffer;
  failures: number;
}

export interface RunOptions {
  inputs: number;
  seed: number;
  targets: readonly Target[];
  /** Called now and then; false ends the run. */
  onProgress?: (done: number) => void;
  progressEvery?: number;
}

export function fuzz({ inputs, seed, targets, onProgress, progressEvery = 10_000 }: RunOptions) {
  const books: Record<string, Book> = {};
  const failures: Failure[] = [];
  const turns = targets.flatMap(target => Array.from({ length: target.share }, () => target));
  for (const { name } of targets) {
    books[name] = { inputs: 0, ends: {}, times: [], slowestMs: 0, slowest: Buffer.alloc(0), failures: 0 };
  }
  for (let index = 0; index < inputs; index++) {
    const target = turns[index % turns.length]!;
    const book = books[target.name]!;
    if (book.failures >= failureLimit) continue;
    const random = seeded(Math.imul(seed, 0x9e3779b1) + index);
    const input = target.input(random);
    book.inputs++;
    const wrong = feed(target, input, index, seed, book);
    if (wrong !== undefined) {
      book.failures++;
      failures.push({ target: target.name, index, why: wrong, input });
    }
    if ((index + 1) % progressEvery === 0) onProgress?.(index + 1);
  }
  for (const target of targets) {
    try {
      target.finish?.();
    } catch (error) {
      failures.push({ target: target.name, index: inputs, why: String(error), input: Buffer.alloc(0) });
    }
  }
  return { books, failures };
}

function feed(target: Target, input: Buffer, index: number, seed: number, book: Book): string | undefined {
  const once = () => target.feed(input, seeded(seed + index));
  try {
    const beganMs = performance.now();
    const end = once();
    let tookMs = performance.now() - beganMs;
    book.ends[end] = (book.ends[end] ?? 0) + 1;
    // Another process may have had the processor: what counts is what this one worked.
    for (let again = 0; again < 3 && tookMs > slowMs && target.repeatable; again++) {
      const before = process.cpuUsage();
      once();
      const { user, system } = process.cpuUsage(before);
      tookMs = Math.min(tookMs, (user + system) / 1000);
    }
    const bin = Math.max(0, Math.ceil(2 * Math.log2(1000 * tookMs)));
    book.times[bin] = (book.times[bin] ?? 0) + 1;
    if (tookMs > book.slowestMs) {
      book.slowestMs = tookMs;
      book.slowest = input;
    }
    const isSlow = target.repeatable && tookMs > slowMs && 1000 * tookMs > slowFactor * medianUs(book);
    return isSlow ? `slow: ${tookMs.toFixed(1)} ms` : undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** The middle of a target's times, to half a power of two. Microseconds. */
export function medianUs({ times }: Book): number {
  const all = times.reduce((sum, count) => sum + (count ?? 0), 0);
  let seen = 0;
  for (let bin = 0; bin < times.length; bin++) {
    seen += times[bin] ?? 0;
    if (2 * seen >= all) return 2 ** (bin / 2);
  }
  return 0;
}
