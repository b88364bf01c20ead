/** The four machines as text: every state and event with its next state and effects, an empty cell as a dash. */
import { describe, expect, test } from 'vitest';
import { inviteClient } from '../../../../firmware/sip/transaction/invite-client.ts';
import { inviteServer } from '../../../../firmware/sip/transaction/invite-server.ts';
import type { Effect, Machine, Step } from '../../../../firmware/sip/transaction/machine.ts';
import { nonInviteClient } from '../../../../firmware/sip/transaction/non-invite-client.ts';
import { nonInviteServer } from '../../../../firmware/sip/transaction/non-invite-server.ts';
import { type TimerName, timers } from '../../../../firmware/sip/transaction/timers.ts';

// A table is read here whatever its states, events and timers are called.
// biome-ignore lint/suspicious/noExplicitAny: Machine is invariant in its names
type AnyMachine = Machine<any, any, any, any, string>;

function print(machine: AnyMachine, context: unknown, begin: string[]): string {
  const states = Object.keys(machine.table);
  const events = [...new Set(states.flatMap(state => Object.keys(machine.table[state])))];
  const lines = [`(start) -> ${printStep(machine.start(context, ...begin))}`];
  for (const state of states) {
    lines.push('', state);
    const row: AnyMachine['table'][string] = machine.table[state];
    for (const event of events) {
      const cell = row[event];
      lines.push(`  ${event.padEnd(16)} ${cell === undefined ? '-' : printStep(cell(context, 'message'))}`);
    }
  }
  const lives = Object.entries(machine.lifetimes).map(([timer, where]) => `  ${timer}  ${where.join(', ')}`);
  return `${[...lines, '', 'timers live in', ...lives].join('\n')}\n`;
}

const printStep = ([next, ...effects]: Step<string, TimerName, string>) =>
  [next, ...effects.map(printEffect)].join('; ');

function printEffect(effect: Effect<TimerName, string>): string {
  if (effect.do === 'send' || effect.do === 'deliver') return `${effect.do} ${effect.message}`;
  if (effect.do === 'fail') return `fail ${effect.reason}`;
  if (effect.do === 'arm') return `arm ${effect.timer} ${effect.delayMs} ms`;
  if (effect.do === 'back off') return `double ${effect.timer} to ${effect.limitMs} ms`;
  return effect.do;
}

const machines: [name: string, machine: AnyMachine, context: unknown, begin: string[]][] = [
  ['invite-client', inviteClient<string>(), { invite: 'INVITE', ack: () => 'ACK' }, []],
  ['invite-server', inviteServer<string>(), {}, ['INVITE']],
  ['non-invite-client', nonInviteClient<string>(), { request: 'request' }, []],
  ['non-invite-server', nonInviteServer<string>(), {}, ['request']],
];
const ways: [way: string, reliable: boolean][] = [
  ['', false],
  ['-reliable', true],
];

describe.each(ways)('%s', (way, reliable) => {
  test.each(machines)('%s is the table of the RFC', async (name, machine, context, begin) => {
    const text = print(machine, { ...(context as object), reliable }, begin);
    await expect(text).toMatchFileSnapshot(`${import.meta.dirname}/golden/${name}${way}.txt`);
  });
});

test.each(machines)('%s arms no timer in a state where that may not live', (_, machine, context, begin) => {
  const steps = [machine.start(context, ...begin)];
  for (const row of Object.values(machine.table)) {
    for (const cell of Object.values(row)) if (cell !== undefined) steps.push(cell(context, 'message'));
  }
  for (const [next, ...effects] of steps) {
    for (const effect of effects) {
      if (effect.do === 'arm' || effect.do === 'back off') expect(machine.lifetimes[effect.timer]).toContain(next);
    }
  }
});

test.each(machines)('%s ends: its last state is reached and has no way out', (_, machine, context) => {
  expect(machine.table.terminated).toEqual({});
  for (const [state, row] of Object.entries(machine.table)) {
    if (state === 'terminated') continue;
    const next = Object.values(row).map(cell => cell!(context, 'message')[0]);
    expect(next.some(other => other !== state)).toBe(true);
  }
});

test('every timer of the RFC belongs to one machine', () => {
  const used = machines.flatMap(([, machine]) => Object.keys(machine.lifetimes));
  expect(used.toSorted()).toEqual(Object.keys(timers).toSorted());
});
