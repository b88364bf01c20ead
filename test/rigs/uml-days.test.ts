/** Days on time that jumps, twice: nothing is missed, memory is flat, and the second run does what the first did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Day } from './guest/days.ts';
import { programInGuest, say } from './in-guest.ts';

/** `scripts/rig uml --days 30` lives through more. */
const DAYS = Number(process.env.PORTER_RIG_DAYS ?? 2);
/** Of real time; a day takes about half a minute of a processor. */
const WITHIN_MS = 120_000 + DAYS * 240_000;
const REGISTERED_FOR_MIN = 30;
const POLLED_EVERY_MIN = 30;
const DAY_MIN = 24 * 60;
/** JavaScript on one thread, with hashes and chance that are the same each time. */
const SAME_EACH_TIME = ['--single-threaded', '--hash-seed=1', '--random-seed=1'];
/** By which the two runs may differ: whoever drives them looks every 20 ms, and a few microseconds are a look more. */
const APART_MS = 200;
/** What a heap after a collection may gain from the end of the first day on. MB. */
const HEAP_MAY_GAIN_MB = 1.5;
/** The share of it that resident memory, which the collector hands out in steps, may gain. */
const RSS_MAY_GAIN = 0.15;

async function live(): Promise<Day[]> {
  const options = { timeTravel: true, withinMs: WITHIN_MS, node: SAME_EACH_TIME };
  return programInGuest('days.ts', [String(DAYS)], options, share =>
    readFileSync(join(share, 'days.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Day),
  );
}

describe(`${DAYS} days with a call each hour`, () => {
  let first: Day[] = [];
  let second: Day[] = [];
  beforeAll(async () => {
    first = await live();
    for (const { day, calls, doors, registers, polls, heapMb, rssMb } of first)
      say(
        `day ${day}: ${calls} calls, ${doors} doors, ${registers} REGISTER, ${polls} polls, heap ${heapMb.toFixed(1)} MB, RSS ${rssMb.toFixed(1)} MB`,
      );
    second = await live();
  }, 2 * WITHIN_MS);

  test('every call is answered and every code opens the door', () => {
    expect(first.map(({ calls, doors }) => [calls, doors])).toEqual(first.map(() => [24, 24]));
  });

  test('the registration never runs out, and the server is asked as often as was set', () => {
    for (const { registers, polls } of first) {
      expect(registers).toBeGreaterThanOrEqual(DAY_MIN / REGISTERED_FOR_MIN);
      expect(Math.abs(polls - DAY_MIN / POLLED_EVERY_MIN)).toBeLessThan(0.15 * (DAY_MIN / POLLED_EVERY_MIN));
    }
  });

  test('memory is flat', () => {
    const [start, end] = [first[0]!, first.at(-1)!];
    expect(end.heapMb).toBeLessThan(start.heapMb + HEAP_MAY_GAIN_MB);
    expect(end.rssMb).toBeLessThan(start.rssMb * (1 + RSS_MAY_GAIN));
  });

  test('the second run does the same at the same instants', () => {
    const [one, other] = [first, second].map(days => days.flatMap(({ trace }) => trace)) as [
      Day['trace'],
      Day['trace'],
    ];
    expect(other.map(([, what]) => what)).toEqual(one.map(([, what]) => what));
    const apartMs = other.reduce((most, [ms], at) => Math.max(most, Math.abs(ms - one[at]![0])), 0);
    expect(apartMs).toBeLessThanOrEqual(APART_MS);
  });
});
