/** How durations are read and written. */
import { expect, test } from 'vitest';
import { parseDuration, printDuration } from '../../../firmware/lib/duration.ts';

test.each([
  ['0 s', 0],
  ['500 ms', 500],
  ['3 s', 3000],
  ['3s', 3000],
  ['1.5 min', 90_000],
  ['2 h', 7_200_000],
  ['1 d', 86_400_000],
  ['  30 s ', 30_000],
  ['0.0004 s', 0],
])('%j is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '3',
  's',
  '3 parsecs',
  '-3 s',
  '3 s 4 s',
  '3  s',
  '1e3 s',
  '.5 s',
  'Infinity s',
  '0x10 s',
  '3 S',
  '٣ s',
  '9999999999999 s',
])('%j is no duration', text => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  [0, '0 s'],
  [20, '20 ms'],
  [90_000, '90 s'],
  [300_000, '5 min'],
  [86_400_000, '1 d'],
])('%d ms is written %j, and read back the same', (ms, text) => {
  expect(printDuration(ms)).toBe(text);
  expect(parseDuration(text)).toBe(ms);
});
