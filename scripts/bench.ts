/** Runs the benchmarks of test/bench and prints what they measured: JSON for machines, a table for people. */
import { cpus, loadavg, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { audioCalls } from '../test/bench/audio-calls.ts';
import { audioCards } from '../test/bench/audio-cards.ts';
import { audioCost } from '../test/bench/audio-cost.ts';
import { audioEcho } from '../test/bench/audio-echo.ts';
import { audioGaps } from '../test/bench/audio-gaps.ts';
import { audioJitter } from '../test/bench/audio-jitter.ts';
import { audioLatency } from '../test/bench/audio-latency.ts';
import { audioLoss } from '../test/bench/audio-loss.ts';
import { audioReturn } from '../test/bench/audio-return.ts';
import { audioStreams } from '../test/bench/audio-streams.ts';
import { audioTogether } from '../test/bench/audio-together.ts';
import { baresipVersion } from '../test/bench/baresip.ts';
import type { Benchmark } from '../test/bench/benchmark.ts';
import { latency } from '../test/bench/latency.ts';
import { load } from '../test/bench/load.ts';

import { type Entry, rounded, Sheet, Unavailable } from '../test/bench/sheet.ts';
import { sipCalls } from '../test/bench/sip-calls.ts';
import { sipMemory } from '../test/bench/sip-memory.ts';
import { sipMessages } from '../test/bench/sip-messages.ts';
import { sound } from '../test/bench/sound.ts';
import { start } from '../test/bench/start.ts';
import { table } from '../test/bench/table.ts';
import { Bench } from '../test/peers/support/bench.ts';

/** Those that need a quiet machine least are last. */
const benchmarks: readonly Benchmark[] = [
  ...[latency, audioLatency, load, start, sipCalls, sipMemory, sipMessages, sound],
  ...[
    audioCalls,
    audioGaps,
    audioLoss,
    audioEcho,
    audioCards,
    audioJitter,
    audioTogether,
    audioReturn,
    audioStreams,
    audioCost,
  ],
];

const DEFAULT_SECONDS = 5;
const MAX_SECONDS = 600;

const help = `Usage: scripts/bench [--table] [--seconds N] [--keep DIR] [NAME ...]

Measures on this machine, over loopback, and prints JSON. Without a NAME,
everything, which takes about an hour:
${benchmarks.map(({ name, title }) => `  ${name.padEnd(15)}${title}`).join('\n')}
"sip" and "audio" name all that begin with it.

  --table       prints a table for people instead of JSON
  --seconds N   time for one thing that is measured over time (default: ${DEFAULT_SECONDS})
  --keep DIR    leaves the sounds that were compared there, with spectrograms

Beside baresip where it is installed (baresip-core); on a virtual sound card
where PulseAudio is. What this machine cannot measure says "unavailable" and
why; exit code 1 means that something failed.
`;

async function main(): Promise<number> {
  let parsed: ReturnType<typeof readArguments>;
  try {
    parsed = readArguments();
  } catch (error) {
    process.stderr.write(`scripts/bench: ${error instanceof Error ? error.message : error}\n${help}`);
    return 2;
  }
  if (parsed === undefined) {
    process.stdout.write(help);
    return 0;
  }
  const { chosen, seconds, keep, asTable } = parsed;
  let isInterrupted = false;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        isInterrupted = true;
        reject(new Error(`interrupted by ${signal}`));
      });
    }
  });
  interrupted.catch(() => {});
  const before = loadavg()[0]!;
  const entries: Entry[] = [];
  for (const benchmark of chosen) {
    entries.push(await measure(benchmark, { seconds, keep, interrupted }));
    if (isInterrupted) break;
  }
  const report = {
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryMb: Math.round(totalmem() / 2 ** 20),
      kernel: release(),
      node: process.version,
      baresip: baresipVersion ?? null,
      at: new Date().toISOString(),
      /** Of the last minute. Above the number of cores somebody else was measured too. */
      load: { before: rounded(before), after: rounded(loadavg()[0]!) },
    },
    entries,
  };
  process.stdout.write(asTable ? table(report) : `${JSON.stringify(report, null, 2)}\n`);
  const isFailed = ({ failed, figures }: Entry) => failed !== undefined || figures.some(row => 'failed' in row);
  return entries.some(isFailed) ? 1 : 0;
}

/** Undefined: help was asked for. Throws what a person should read. */
function readArguments() {
  const { values, positionals } = parseArgs({
    options: {
      table: { type: 'boolean' },
      seconds: { type: 'string' },
      keep: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  });
  if (values.help) return undefined;
  const unknown = positionals.find(name => named(name).length === 0);
  if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}`);
  const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) throw new Error(`--seconds takes a number up to ${MAX_SECONDS}`);
  const wanted = positionals.flatMap(named);
  const chosen = benchmarks.filter(benchmark => positionals.length === 0 || wanted.includes(benchmark));
  return { chosen, seconds, keep: values.keep, asTable: values.table ?? false };
}

/** `sip-calls` is one, `sip` is all that begin with it. */
function named(name: string): readonly Benchmark[] {
  const exact = benchmarks.filter(benchmark => benchmark.name === name);
  return exact.length > 0 ? exact : benchmarks.filter(benchmark => benchmark.name.startsWith(`${name}-`));
}

/** One benchmark alone: what fails in it fails nothing else. */
async function measure(
  { name, how, run }: Benchmark,
  { seconds, keep, interrupted }: { seconds: number; keep: string | undefined; interrupted: Promise<never> },
): Promise<Entry> {
  const startedMs = performance.now();
  const sheet = new Sheet(line => process.stderr.write(`${name}: ${line}\n`));
  const bench = new Bench();
  const outcome: { unavailable?: string; failed?: string } = {};
  try {
    await Promise.race([run(sheet, bench, { seconds, keep }), interrupted]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof Unavailable) outcome.unavailable = why;
    else outcome.failed = why;
    process.stderr.write(`${name}: ${why}\n`);
  }
  try {
    await bench.stop();
  } catch (error) {
    outcome.failed ??= `what it started does not stop: ${error instanceof Error ? error.message : error}`;
  }
  return { name, how, figures: sheet.rows, ...outcome, seconds: rounded((performance.now() - startedMs) / 1000) };
}

// A benchmark that was interrupted may still wait for something that never comes.
process.exit(await main());
