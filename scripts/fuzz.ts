/** Feeds as many mutated inputs as one likes, watches memory, and writes what went wrong to out/fuzz. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz, medianUs } from '../test/fuzz/support/run.ts';
import { targets } from '../test/fuzz/support/targets.ts';

const usage = `scripts/fuzz [--inputs N] [--seed S] [--only TARGET,TARGET]
  --inputs N     how many inputs, 1000000 by default
  --seed S       which ones, 1 by default: the same seed gives the same inputs
  --only TARGET  one or several of: ${targets.map(({ name }) => name).join(', ')}
Inputs that fail, and the slowest of each target, are left in out/fuzz.`;

/** Memory is looked at so often in a run. */
const looks = 100;
/** The last tenth of a run may need so much more than the second: caches of the engine, not ours. */
const growthLimitBytes = 3_000_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});

function main(): number {
  const inputs = Number(values.inputs);
  const seed = Number(values.seed);
  const chosen = targets.filter(({ name }) => values.only === undefined || values.only.split(/, */).includes(name));
  if (values.help || chosen.length === 0 || !Number.isInteger(inputs) || inputs < looks || !Number.isInteger(seed)) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const out = join(import.meta.dirname, '../out/fuzz');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const beganMs = performance.now();
  const heaps: number[] = [];
  const onProgress = (done: number) => {
    globalThis.gc?.();
    heaps.push(process.memoryUsage().heapUsed);
    const seconds = (performance.now() - beganMs) / 1000;
    const heap = (heaps.at(-1)! / 1e6).toFixed(1);
    const line = `${done} of ${inputs} inputs, ${Math.round(done / seconds)} a second, heap ${heap} MB`;
    // A terminal has one line that changes, a file one for each tenth.
    if (process.stderr.isTTY) process.stderr.write(`\r${line}  `);
    else if (heaps.length % (looks / 10) === 0) process.stderr.write(`${line}\n`);
  };
  const progressEvery = Math.floor(inputs / looks);
  const { books, failures } = fuzz({ inputs, seed, targets: chosen, onProgress, progressEvery });
  if (process.stderr.isTTY) process.stderr.write('\n');
  for (const [name, book] of Object.entries(books)) {
    const ends = Object.entries(book.ends)
      .map(([end, count]) => `${end} ${count}`)
      .join(', ');
    const slowest = book.slowestMs.toFixed(1);
    writeFileSync(join(out, `slowest-${name}`), book.slowest);
    console.log(
      `${name.padEnd(10)} ${book.inputs} inputs: ${ends}; median ${medianUs(book).toFixed(0)} µs, slowest ${slowest} ms`,
    );
  }
  for (const [number, { target, index, why, input }] of failures.entries()) {
    writeFileSync(join(out, `failure-${number + 1}-${target}`), input);
    console.log(`FAILED ${target}, input ${index} of seed ${seed}, out/fuzz/failure-${number + 1}-${target}: ${why}`);
  }
  const tenth = Math.floor(heaps.length / 10);
  const early = middle(heaps.slice(tenth, 2 * tenth));
  const late = middle(heaps.slice(-tenth));
  const grew = late - early > growthLimitBytes;
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.log(
    `${inputs} inputs of seed ${seed} in ${seconds} s: ${failures.length} failures; heap ${(early / 1e6).toFixed(1)} MB ` +
      `in the second tenth, ${(late / 1e6).toFixed(1)} MB in the last${grew ? ': IT GROWS' : ''}`,
  );
  return failures.length > 0 || grew ? 1 : 0;
}

const middle = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

process.exitCode = main();
