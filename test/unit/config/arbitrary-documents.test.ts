/** Any JSON value at all as a document: nothing throws, nothing grows without bound. */
import { expect, test } from 'vitest';
import { checkDocument, type JsonValue, mergePatch } from '../../../firmware/config/document.ts';
import { effectiveSettings, mergeLayers } from '../../../firmware/config/layers.ts';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { printProblems } from '../../../firmware/config/problems.ts';
import { type Setting, tree } from '../../../firmware/config/tree.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import { seeded } from '../../sim/seeded.ts';

const oddKeys = ['__proto__', 'constructor', 'toString', '', 'a.b', '\u0000', '💥', 'x'.repeat(300), 'desk', '0'];
const oddValues: JsonValue[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1e308,
  5e-324,
  2 ** 53,
  '',
  ' ',
  '3 s',
  '-3 s',
  '9'.repeat(400),
  'sip:a@b',
  'sip:',
  'sip:@',
  'mqtt://',
  'https://[::1',
  '*',
  '@',
  '\ud800',
  'x'.repeat(2000),
];

/** A value of any shape, keys and scalars chosen to hurt. */
function anything(random: Random, depth: number): JsonValue {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random.next() * from.length)]!;
  const kind = depth === 0 ? 0 : random.next();
  if (kind < 0.5) return pick(oddValues);
  const size = Math.floor(random.next() * 4);
  if (kind < 0.7) return Array.from({ length: size }, () => anything(random, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, () => [pick(oddKeys), anything(random, depth - 1)]));
}

/** A document that follows the declaration and strays from it now and then, so that every check is reached. */
function almost(random: Random, setting: Setting): JsonValue {
  if (random.next() < 0.04) return anything(random, 3);
  if (setting.is === 'leaf')
    return random.next() < 0.7 && setting.preset !== undefined ? setting.preset : anything(random, 1);
  const members = setting.is === 'group' ? Object.entries(setting.members) : [['desk', setting.entry] as const];
  const present = members
    .filter(() => random.next() < 0.6)
    .map(([key, member]) => [key, almost(random, member)] as const);
  const stray = random.next() < 0.05 ? [[oddKeys[Math.floor(random.next() * oddKeys.length)]!, null] as const] : [];
  return Object.fromEntries([...present, ...stray]);
}

test('whatever JSON stands there, the answer is a configuration or lines of bounded length', () => {
  const tally = { sound: 0, bad: 0 };
  for (let seed = 0; seed < 1500; seed++) {
    const random = seeded(seed);
    const value = seed % 2 === 0 ? anything(random, 5) : almost(random, tree);
    const parsed = parseConfig(value);
    if ('config' in parsed) {
      tally.sound++;
      continue;
    }
    tally.bad++;
    const lines = printProblems(parsed.problems);
    expect(lines.length, `seed ${seed}`).toBeGreaterThan(0);
    expect(lines.length, `seed ${seed}`).toBeLessThanOrEqual(21);
    for (const line of lines) expect(line.length, `seed ${seed}: ${line}`).toBeLessThan(1000);
  }
  expect(tally.sound).toBeGreaterThan(5);
  expect(tally.bad).toBeGreaterThan(500);
});

test('merging any documents never throws, changes neither, and leaves no null behind', () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = seeded(seed);
    const [target, patch] = [{ a: anything(random, 4) }, { a: anything(random, 4), b: anything(random, 3) }];
    const before = JSON.stringify([target, patch]);
    const merged = mergePatch(target, patch);
    expect(JSON.stringify([target, patch])).toBe(before);
    // RFC 7396 §2: applying the same patch again changes nothing.
    expect(mergePatch(merged, patch), `seed ${seed}`).toEqual(merged);
    expect(() => effectiveSettings({ provisioned: target, local: patch }), `seed ${seed}`).not.toThrow();
  }
});

test('a member called __proto__ stays a member and reaches no prototype', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}}');
  const merged = mergeLayers({ provisioned: hostile, local: {} });
  expect(Object.hasOwn(merged, '__proto__')).toBe(true);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect('problems' in parseConfig(hostile)).toBe(true);
});

test('nesting without end is refused before anything walks it', () => {
  let deep: JsonValue = 1;
  for (let level = 0; level < 100_000; level++) deep = { a: deep };
  expect(checkDocument(deep)).toEqual({ why: 'is nested deeper than 16 levels' });
  expect('problems' in parseConfig(deep)).toBe(true);
});
