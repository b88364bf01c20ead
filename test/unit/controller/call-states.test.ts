/** The two tables of a call's life, walked cell by cell. */
import { expect, test } from 'vitest';
import { incoming, outgoing, type State, type Table } from '../../../firmware/controller/call-states.ts';

const print = (table: Table) =>
  Object.entries(table).flatMap(([state, cells]) =>
    Object.entries(cells).map(([event, [next, ...effects]]) => `${state} + ${event} → ${next}: ${effects.join(', ')}`),
  );

test.each([
  ['outgoing', outgoing],
  ['incoming', incoming],
] as const)('the %s table reads as drawn', async (name, table) => {
  await expect(`${print(table).join('\n')}\n`).toMatchFileSnapshot(`../../fixtures/call-states-${name}.txt`);
});

test.each([
  ['outgoing', outgoing],
  ['incoming', incoming],
] as const)('every state of the %s table that can be reached leads to the end', (_name, table) => {
  const reached = new Set<State>(['opening']);
  for (const state of reached) for (const [next] of Object.values(table[state])) reached.add(next);
  for (const state of reached) {
    if (state === 'ended') continue;
    expect(Object.keys(table[state]), state).toContain(state === 'opening' && table === outgoing ? 'hang up' : 'ended');
  }
});

test('whatever ends a call also finishes it, once', () => {
  for (const table of [outgoing, incoming]) {
    for (const cells of Object.values(table)) {
      for (const [next, ...effects] of Object.values(cells)) {
        expect(effects.filter(effect => effect === 'finish').length).toBe(next === 'ended' ? 1 : 0);
      }
    }
  }
});
