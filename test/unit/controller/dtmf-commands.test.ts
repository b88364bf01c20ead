/** Codes of doors and zones by keys: right, wrong, slow, too many. */
import { expect, test } from 'vitest';
import { DtmfCommands } from '../../../firmware/controller/dtmf-commands.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

function call(doors: Record<string, string[]> = { main: ['55', '1234'], gate: ['77'] }) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const settings = { terminator: '#', timeoutMs: 5_000, maxWrong: 3 };
  const commands = new DtmfCommands(
    clock,
    settings,
    () => ({ doors, zones: { hall: '21' } }),
    command => {
      const { is, ...facts } = command;
      log.push(`${is} ${JSON.stringify(facts)}`);
    },
  );
  const keys = (text: string) => {
    for (const key of text) commands.key(key);
  };
  return { clock, log, commands, keys };
}

test('a zone has a code too', () => {
  const { keys, log } = call();
  keys('21#55#');
  expect(log).toEqual(['page {"zone":"hall"}', 'open {"door":"main"}']);
});

test('each code opens its own door', () => {
  const { keys, log } = call();
  keys('55#77#1234#');
  expect(log).toEqual(['open {"door":"main"}', 'open {"door":"gate"}', 'open {"door":"main"}']);
});

test('a wrong code opens nothing, and its digits are told to nobody', () => {
  const { keys, log } = call();
  keys('4711#');
  expect(log).toEqual(['wrong code {"digits":4,"left":2}']);
});

test('more digits around a right code are a wrong code', () => {
  const { keys, log } = call();
  keys('0550#');
  expect(log).toEqual(['wrong code {"digits":4,"left":2}']);
});

test('a pause forgets what was keyed in, and the terminator alone means nothing', () => {
  const { keys, log, clock } = call();
  keys('5');
  clock.advance(5_000);
  keys('#');
  keys('55#');
  expect(log).toEqual(['open {"door":"main"}']);
});

test('after too many wrong codes the right one opens nothing more', () => {
  const { keys, log } = call();
  keys('1#2#3#55#');
  expect(log.map(line => line.split(' ')[0])).toEqual(['wrong', 'wrong', 'wrong', 'locked']);
});

test('endless digits are bounded and end in one wrong code', () => {
  const { keys, log, clock, commands } = call();
  keys('5'.repeat(10_000));
  keys('#');
  expect(log).toEqual(['wrong code {"digits":16,"left":2}']);
  keys('1');
  commands.stop();
  expect(clock.armed).toEqual([]);
});
