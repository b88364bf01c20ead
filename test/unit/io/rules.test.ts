/** What a press means in each state of the device. */
import { expect, test } from 'vitest';
import { pressMeaning } from '../../../firmware/io/rules.ts';

const rules = { hangUpAfterMs: 10_000, answers: true, answersKnock: false };

test.each([
  ['none', 0, rules, 'do its action'],
  ['ringing', 1_000, rules, 'answer'],
  ['ringing', 1_000, { ...rules, answers: false }, 'nothing'],
  ['knocked at', 9_999, rules, 'nothing'],
  ['knocked at', 10_000, rules, 'hang up'],
  ['knocked at', 1_000, { ...rules, answersKnock: true }, 'answer'],
  ['active', 9_999, rules, 'nothing'],
  ['active', 10_000, rules, 'hang up'],
  ['active', 3_600_000, { ...rules, hangUpAfterMs: 0 }, 'nothing'],
] as const)('while %s for %i ms with %o a press means: %s', (state, forMs, rule, meaning) => {
  expect(pressMeaning({ state, forMs }, rule)).toBe(meaning);
});
