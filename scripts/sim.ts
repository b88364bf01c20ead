/** Plays bad days by their seeds, in several processes, and sums them up; the failed ones can be played again alone. */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { DayResult } from '../test/sim/days/day-result.ts';
import { playDay, Tally, taleOf } from '../test/sim/days/days.ts';
import { type DayPreset, dayPresetNames } from '../test/sim/days/plan.ts';

const DEFAULT_SEEDS = 1_000;
const MAX_SEED = 2 ** 31 - 1;
const DEFAULT_WORKERS = 2;
const MAX_WORKERS = 64;
/** Days that a process is given at once. */
const CHUNK = 20;
/** Failures that are told in full. */
const TALES = 5;

const help = `Usage: scripts/sim [--seeds N] [--from S] [--preset NAME] [--workers N] [--json]
       scripts/sim --seed S [--verbose]

Each seed is a bad day of the device on virtual time: a bad network, a registrar
that restarts or refuses, a DNS that lies or is gone, a link that goes, a clock
that jumps, peers that vanish; and calls meanwhile. Checked: every call ends with
one outcome, nothing outlives its owner, the registration is back in its time.

  --seeds N      days to play (default: ${DEFAULT_SEEDS})
  --from S       the first seed (default: 1)
  --seed S       one day alone
  --verbose      with --seed: every packet, trouble and deed of it
  --preset NAME  the network of all days: ${dayPresetNames.join(', ')}
                 (default: as the seed draws it)
  --workers N    processes (default: ${DEFAULT_WORKERS})
  --json         the summary as JSON

Exit code 1: some day failed; its seed is listed.
`;

interface Task {
  from: number;
  count: number;
  preset: DayPreset | undefined;
}

/** In a process of its own: plays what it is given. The trace is needed of failed days only. */
function work() {
  process.on('message', async ({ from, count, preset }: Task) => {
    const results: DayResult[] = [];
    for (let seed = from; seed < from + count; seed++) results.push(await playDay(seed, preset));
    process.send!(results.map(result => ({ ...result, tale: result.faults.length > 0 ? taleOf(result) : '' })));
  });
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`scripts/sim: ${error instanceof Error ? error.message : error}\n${help}`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(help);
    return 0;
  }
  const { from, seeds, workers, preset, json, verbose } = options;
  if (verbose) return showOne(from, preset);
  const tally = new Tally();
  let told = 0;
  const startedMs = performance.now();
  await playAll({ from, seeds, workers, preset }, (result, tale) => {
    tally.add(result);
    if (tale !== '' && told++ < TALES) process.stderr.write(`\r\x1b[K${tale}\n\n`);
    if (process.stderr.isTTY) process.stderr.write(`\r${tally.days} of ${seeds} days, ${tally.failed.length} failed `);
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const summary = { ...tally.summary, from, seconds: Math.round((performance.now() - startedMs) / 100) / 10 };
  process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : printSummary(summary));
  return tally.failed.length > 0 ? 1 : 0;
}

async function showOne(seed: number, preset: DayPreset | undefined): Promise<number> {
  const result = await playDay(seed, preset);
  process.stdout.write(`${taleOf(result, Number.POSITIVE_INFINITY)}\n`);
  process.stdout.write(`${result.faults.length === 0 ? 'a good bad day' : `${result.faults.length} faults`}\n`);
  return result.faults.length === 0 ? 0 : 1;
}

/** Hands seeds out to processes until none is left. A process that dies fails the run. */
function playAll(
  { from, seeds, workers, preset }: { from: number; seeds: number; workers: number; preset: DayPreset | undefined },
  onResult: (result: DayResult, tale: string) => void,
): Promise<void> {
  const end = from + seeds;
  let next = from;
  return new Promise((resolve, reject) => {
    let working = 0;
    for (let index = 0; index < Math.min(workers, Math.ceil(seeds / CHUNK)); index++) {
      const child = fork(import.meta.filename, ['--worker'], { serialization: 'advanced' });
      working++;
      const more = () => {
        const count = Math.min(CHUNK, end - next);
        if (count > 0) child.send({ from: next, count, preset } satisfies Task);
        else child.disconnect();
        next += Math.max(0, count);
      };
      child.on('message', (results: (DayResult & { tale: string })[]) => {
        for (const { tale, ...result } of results) onResult(result, tale);
        more();
      });
      child.on('exit', (code, signal) => {
        working--;
        if (code !== 0) reject(new Error(`a process of scripts/sim ended with ${signal ?? code}`));
        else if (working === 0) resolve();
      });
      more();
    }
  });
}

function printSummary(summary: Tally['summary'] & { from: number; seconds: number }): string {
  const { days, failed, virtualHours, messages, registrations, recoverySeconds, kinds, presets, calls, troubles } =
    summary;
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([what, count]) => `  ${String(count).padStart(8)}  ${what}`)
      .join('\n');
  const { p50, p99, max } = recoverySeconds;
  return `${days} days from seed ${summary.from}: ${virtualHours} hours in ${summary.seconds} s, ${messages} lines of trace
Played by
${list(kinds)}
Networks
${list(presets)}
Troubles
${list(troubles)}
Calls of the device
${list(calls)}
Registered ${registrations} times; after the troubles back within ${p50} s (half of the days), ${p99} s (99 of 100), ${max} s (all)
${failed.length === 0 ? 'No day failed.' : `${failed.length} failed: ${failed.toSorted((a, b) => a - b).join(', ')}\nscripts/sim --seed ${failed[0]} --verbose`}
`;
}

/** Undefined: help was asked for. Throws what a person should read. */
function readArguments() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      preset: { type: 'string' },
      workers: { type: 'string' },
      verbose: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const whole = (name: 'seeds' | 'from' | 'seed' | 'workers', most: number, otherwise: number) => {
    const text = values[name];
    const number = Number(text ?? otherwise);
    if (!Number.isInteger(number) || number < 1 || number > most || text === '')
      throw new Error(`--${name} takes a whole number from 1 to ${most}`);
    return number;
  };
  const preset = dayPresetNames.find(name => name === values.preset);
  if (values.preset !== undefined && preset === undefined)
    throw new Error(`there is no preset ${values.preset}; there are ${dayPresetNames.join(', ')}`);
  const alone = values.seed !== undefined;
  if (alone && (values.seeds !== undefined || values.from !== undefined))
    throw new Error('--seed is one day alone; with --from and --seeds there are many');
  if (values.verbose && !alone) throw new Error('--verbose needs --seed');
  return {
    from: alone ? whole('seed', MAX_SEED, 1) : whole('from', MAX_SEED, 1),
    seeds: alone ? 1 : whole('seeds', MAX_SEED, DEFAULT_SEEDS),
    workers: whole('workers', MAX_WORKERS, DEFAULT_WORKERS),
    preset,
    json: values.json ?? false,
    verbose: values.verbose ?? false,
  };
}

if (process.argv.includes('--worker') && process.send !== undefined) work();
else process.exitCode = await main();
