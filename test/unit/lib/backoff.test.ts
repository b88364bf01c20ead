/** How pauses between attempts grow and spread. */
import { expect, test } from 'vitest';
import { backoff } from '../../../firmware/lib/backoff.ts';
import { seeded } from '../../sim/seeded.ts';

const chance = (value: number) => ({ ...seeded(0), next: () => value });

function pauses(random: ReturnType<typeof seeded>, count: number) {
  const steps = backoff({ firstMs: 1000, limitMs: 10_000, random });
  return Array.from({ length: count }, () => steps.next().value);
}

test('doubles from the first pause to the limit and stays there', () => {
  expect(pauses(chance(1), 6)).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('is never less than half of the full pause', () => {
  expect(pauses(chance(0), 6)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
});

test('spreads: two devices do not keep step', () => {
  expect(pauses(seeded(1), 5)).not.toEqual(pauses(seeded(2), 5));
});

test('takes another factor', () => {
  const steps = backoff({ firstMs: 100, limitMs: 1000, factor: 3, random: chance(1) });
  expect([steps.next().value, steps.next().value, steps.next().value, steps.next().value]).toEqual([
    100, 300, 900, 1000,
  ]);
});
