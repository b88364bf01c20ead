/** Runs the checks and the tests that scripts/test has made room for, and counts them in one closing line. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const out = join(root, 'out');

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Inherits the terminal, so that long steps show their progress. */
const run = (command: string, args: string[]) =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

function checks(): Count {
  const good = run(process.execPath, ['scripts/check.ts']);
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 };
}

/** One project at a time: what listens to real sound wants the machine for itself. */
function tests(project: 'unit' | 'peers' | 'timeless' | 'rigs', filters: string[]): Count {
  mkdirSync(out, { recursive: true });
  const report = join(out, `tests-${project}.json`);
  rmSync(report, { force: true });
  const good = run(join(root, 'node_modules/.bin/vitest'), [
    'run',
    `--project=${project}`,
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    // A file that could not be loaded has no tests of its own to count, and is a failure all the same.
    const broken = testResults.filter(
      (file: { status: string; assertionResults: unknown[] }) =>
        file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    const failed = numFailedTests + broken;
    return {
      passed: numPassedTests,
      failed: failed === 0 && !good ? 1 : failed,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function main(args: string[]): number {
  const peers = args.includes('--peers=yes');
  const rigs = args.includes('--rigs=yes');
  const filters = args.filter(argument => !argument.startsWith('--'));
  const counts = filters.length === 0 ? [checks()] : [];
  counts.push(tests('unit', filters));
  if (peers) counts.push(tests('peers', filters));
  if (rigs) counts.push(tests('timeless', filters), tests('rigs', filters));
  const sum = (key: keyof Count) => counts.reduce((total, count) => total + count[key], 0);
  if (!peers) process.stdout.write('left out: everything in test/peers and test/demo (--no-peers)\n');
  if (!rigs) process.stdout.write(`left out: everything in test/rigs (${peers ? '--no-rigs' : '--no-peers'})\n`);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  return sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
