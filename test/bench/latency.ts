/** Mouth to ear. */
import type { Benchmark } from './benchmark.ts';
export const latency: Benchmark = { name: 'latency', title: 'mouth to ear', how: '', async run() {} };
