/** Runs test files inside the rig's guest, and answers what became of each test there. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Guest } from '../../scripts/rigs/uml/guest.ts';
import { type RigKernel, rigKernel } from '../../scripts/rigs/uml/kernel.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');
const CONFIG = join(import.meta.dirname, 'guest/vitest.config.ts');

export const say = (line: string) => process.stderr.write(`porter: ${line}\n`);

let kernel: Promise<RigKernel> | undefined;
export function theKernel() {
  kernel ??= rigKernel(say);
  return kernel;
}

export interface GuestCase {
  /** The describes it stands in, and its own name. */
  path: string[];
  passed: boolean;
  /** Of a failure: what vitest has said, inside. */
  why: string;
}

export interface GuestRun {
  cases: GuestCase[];
  /** Everything that was printed inside. */
  story: string;
  /** What the tests measured: the lines that they began with `measured: `. */
  measured: string[];
}

/**
 * Runs `test/rigs/guest/<file>.guest.ts` of each in one guest. With `timeTravel` the load of the machine makes no
 * difference inside, and what only waits costs nothing. Rejects where the guest tests nothing.
 */
export async function runInGuest(
  files: readonly string[],
  { withinMs = 600_000, timeTravel = false } = {},
): Promise<GuestRun> {
  const guest = new Guest({
    kernel: await theKernel(),
    command: shell(
      `node '${VITEST}' run --configLoader native --config '${CONFIG}' \
        --reporter=verbose --reporter=json --outputFile.json="$rig_share/results.json" ${files.map(file => `/guest/${file}.guest.ts`).join(' ')}`,
    ),
    timeTravel,
    withinMs,
  });
  try {
    await guest.ended;
    const report = join(guest.share, 'results.json');
    if (!existsSync(report)) throw new Error(`nothing was tested in the guest:\n${guest.story()}`);
    const cases = [...casesOf(readFileSync(report, 'utf8')), endedWell(guest.code === 0)];
    const story = guest.story();
    const measured = [...story.matchAll(/^measured: (.*)$/gm)].map(([, line]) => line!);
    return { cases, story, measured };
  } finally {
    guest.discard();
  }
}

/** What fails outside of any test (a hook, a rejection that nobody caught) shows in the exit code alone. */
export const endedWell = (passed: boolean): GuestCase => ({
  path: ['vitest has ended with 0'],
  passed,
  why: 'it has not; see above',
});

/** What vitest's report in JSON says of each test; of a file that could not be run, as one of its name. */
export function casesOf(report: string): GuestCase[] {
  const { testResults } = JSON.parse(report) as Report;
  return testResults.flatMap(({ name, assertionResults, status, message }) =>
    assertionResults.length === 0 && status === 'failed'
      ? [{ path: [name], passed: false, why: message }]
      : assertionResults.map(({ ancestorTitles, title, status, failureMessages }) => ({
          path: [...ancestorTitles, title],
          passed: status === 'passed',
          why: failureMessages.join('\n'),
        })),
  );
}

/** From the project's folder. */
const shell = (line: string) => ['sh', '-c', `cd '${ROOT}' && exec ${line}`];

export interface ProgramOptions {
  share?: string;
  timeTravel?: boolean;
  withinMs: number;
  /** Options of Node. */
  node?: readonly string[];
}

/** Starts `test/rigs/guest/<program>`, a program of its own, in a guest. */
export async function startProgram(
  program: string,
  args: readonly string[],
  { node = [], ...options }: ProgramOptions,
): Promise<Guest> {
  const words = [...node, join(import.meta.dirname, 'guest', program), ...args].map(word => `'${word}'`).join(' ');
  return new Guest({ kernel: await theKernel(), command: shell(`node ${words}`), ...options });
}

/** The same to its end; answers what `read` finds in the folder that both sides see. Rejects where the program failed. */
export async function programInGuest<T>(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
  read: (share: string) => T,
): Promise<T> {
  const guest = await startProgram(program, args, options);
  try {
    await guest.ended;
    if (guest.code !== 0) throw new Error(`${program} failed in the guest:\n${guest.story()}`);
    return read(guest.share);
  } finally {
    guest.discard();
  }
}

interface Report {
  testResults: {
    /** The file. */
    name: string;
    status: string;
    message: string;
    assertionResults: { ancestorTitles: string[]; title: string; status: string; failureMessages: string[] }[];
  }[];
}

/** Makes each test of the guest one of ours. */
export function asTests(name: string, { cases, story, measured }: GuestRun, where = 'in the guest') {
  describe(`${where}, ${name}`, () => {
    test('something was tested', () => {
      for (const line of measured) say(line);
      expect(cases.length, story).toBeGreaterThan(0);
    });
    for (const { path, passed, why } of cases)
      test(path.join(' > '), () => {
        if (!passed) throw new Error(why || story);
      });
  });
}
