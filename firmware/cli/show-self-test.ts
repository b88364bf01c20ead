/** `porter selftest` for a person: a line for each part, what to do under it, and the sum. The report for the mail. Pure. */
import type { Finding, Verdict } from '../self-test/checks.ts';
import type { Facts } from '../self-test/facts.ts';
import type { SelfTest } from '../self-test/self-test.ts';
import { count, plain, wrap } from './text.ts';

const WORDS: Readonly<Record<Verdict, string>> = { ok: 'ok', look: 'look', fail: 'FAIL', 'left out': '-' };
const VERDICT = 6;
const CHECK = 14;

/** Lines of at most 80 columns (a single longer word stays whole). */
export function showSelfTest({ facts, findings }: SelfTest): string[] {
  return [...wrap(title(facts), 2), ...findings.flatMap(showFinding), sumOf(findings)].map(plain);
}

function title({ version, machine, device }: Facts): string {
  const settings = 'running' in device ? device.running.settings : device.alone.settings;
  const board = settings.find(({ path }) => path === 'board.name')?.value;
  const { model, system, kernel, arch, node, memoryMegabytes } = machine;
  const parts = [model, system, `Linux ${kernel} ${arch}`, `Node ${node}`, `${memoryMegabytes} MB`];
  return `Porter ${version} as ${board}: ${parts.filter(Boolean).join(', ')}`;
}

function showFinding({ check, verdict, says, todo }: Finding): string[] {
  const indent = VERDICT + CHECK;
  return [
    ...wrap(says, indent, WORDS[verdict].padEnd(VERDICT) + check.padEnd(CHECK)),
    ...(todo === undefined ? [] : wrap(todo, indent, `${' '.repeat(indent - 2)}> `)),
  ];
}

function sumOf(findings: readonly Finding[]): string {
  const of = (wanted: Verdict) => findings.filter(({ verdict }) => verdict === wanted).length;
  return `${of('ok')} ok, ${of('look')} to look at, ${count(of('fail'), 'failure')}, ${of('left out')} left out`;
}

/** Everything that somebody far away wants to know. */
export function selfTestReport(test: SelfTest): string {
  return [
    'Self-test of a Porter device. Passwords are hidden; names, addresses and numbers are not.',
    test.facts.machine.clock.now,
    '',
    ...showSelfTest(test),
    '',
    'Facts',
    JSON.stringify(test.facts, null, 2),
    '',
  ].join('\n');
}
