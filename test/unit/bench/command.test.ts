import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'scripts/bench.ts'), ...args], { encoding: 'utf8' });

test('prints JSON alone on standard output: the machine, how it was measured, figures with their spread', () => {
  const { status, stdout, stderr } = bench('sip-messages', '--seconds', '0.07');
  expect(status).toBe(0);
  const { machine, entries } = JSON.parse(stdout);
  expect(machine).toMatchObject({ node: process.version, load: { before: expect.any(Number) } });
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ name: 'sip-messages', how: expect.any(String), seconds: expect.any(Number) });
  const figure = entries[0].figures.find(({ name }: { name: string }) => name.startsWith('parse INVITE'));
  expect(figure).toMatchObject({ unit: 'messages/s', count: 7 });
  expect(figure.min).toBeGreaterThan(0);
  expect(figure.min).toBeLessThanOrEqual(figure.median);
  expect(figure.median).toBeLessThanOrEqual(figure.max);
  expect(stderr).toContain('sip-messages: parse INVITE');
});

test.each([
  [['nonsense'], 'there is no benchmark nonsense'],
  [['--seconds', '0'], '--seconds takes a number'],
  [['--fast'], '--fast'],
])('%j is refused with exit code 2, before anything is measured', (args, why) => {
  const { status, stdout, stderr } = bench(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(why);
});

test('tells how to use it', () => {
  const { status, stdout } = bench('--help');
  expect(status).toBe(0);
  for (const name of [
    'latency',
    'audio-latency',
    'audio-loss',
    'audio-jitter',
    'audio-together',
    'audio-cost',
    'audio-calls',
    'audio-gaps',
    'audio-streams',
    'load',
    'start',
    'sip-messages',
    'sip-calls',
    'sip-memory',
    'sound',
  ])
    expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
