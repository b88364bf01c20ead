/** The part of `scripts/fuzz` that every test run has: 200,000 inputs over all targets. */
import { expect, test } from 'vitest';
import { fuzz } from './support/run.ts';
import { targets } from './support/targets.ts';

const INPUTS = 200_000;

test(`${INPUTS} inputs: no throw, no hang, no request answered twice, nothing left behind`, () => {
  const { books, failures } = fuzz({ inputs: INPUTS, seed: 1, targets });
  expect(
    failures.map(({ target, index, why, input }) => ({ target, index, why, input: input.toString('latin1') })),
  ).toEqual([]);
  // The inputs are of use only while they reach every end.
  for (const [name, { ends }] of Object.entries(books)) {
    expect(Object.keys(ends).length, name).toBeGreaterThan(1);
    for (const [end, count] of Object.entries(ends)) expect(count, `${name}: ${end}`).toBeGreaterThan(10);
  }
}, 240_000);
