/** Days on time that jumps, twice: nothing is missed, memory is flat, and the second run does what the first did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Day } from './guest/days.ts';
import { programInGuest, say } from './in-guest.ts';

/** `scripts/rig uml --days 30` lives through more. */
const DAYS = Number(process.env.PORTER_RIG_DAYS ?? 2);
/** Of which a second run tells the same. */
const DAYS_AGAIN = process.env.PORTER_RIG_DAYS === undefined ? 1 : DAYS;
/** Of real time; a day takes about a quarter of a minute of a processor. */
const WITHIN_MS = 120_000 + DAYS * 240_000;
const REGISTERED_FOR_MIN = 30;
const POLLED_EVERY_MIN = 30;
const DAY_MIN = 24 * 60;
/** JavaScript on one thread, with hashes and chance that are the same each time. */
const SAME_EACH_TIME = ['--single-threaded', '--hash-seed=1', '--random-seed=1'];
/** By which the two runs may differ: whoever drives them looks every 20 ms, and a few microseconds are a look more. */
const APART_MS = 200;
/** Taken every six hours; the first are those of a device that does most things for the first time. */
const FIRST_TAKEN = 2;
/** What it keeps may gain, what V8 learns of its functions in it: the median of the last third beside the first third's. MB. */
const HELD_MAY_GAIN_MB = 1;
/** The share that resident memory, compiled code in it, may gain from the end of the first day on. */
const RSS_MAY_GAIN = 0.15;

async function live(howMany: number): Promise<Day[]> {
  const options = { timeTravel: true, withinMs: WITHIN_MS, node: SAME_EACH_TIME };
  return programInGuest('days.ts', [String(howMany)], options, share =>
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
    const beganMs = performance.now();
    first = await live(DAYS);
    for (const { day, calls, doors, registered, polls, heldMb, heapMb, rssMb } of first)
      say(
        `day ${day}: ${calls} calls, ${doors} doors, registered ${registered} times, ${polls} polls, heap ${heapMb.toFixed(1)} MB, without code ${heldMb.at(-1)!.toFixed(2)} MB, RSS ${rssMb.toFixed(1)} MB`,
      );
    say(`${DAYS} days took ${((performance.now() - beganMs) / 1_000).toFixed(0)} s, ${traceOf(first).length} events`);
    second = await live(DAYS_AGAIN);
  }, 2 * WITHIN_MS);

  test('every call is answered and every code opens the door', () => {
    expect(first.map(({ calls, doors }) => [calls, doors])).toEqual(first.map(() => [24, 24]));
  });

  test('the registration never runs out, and the server is asked as often as was set', () => {
    for (const { registered, forgotten, polls } of first) {
      expect(forgotten).toBe(0);
      expect(registered).toBeGreaterThanOrEqual(DAY_MIN / REGISTERED_FOR_MIN);
      expect(Math.abs(polls - DAY_MIN / POLLED_EVERY_MIN)).toBeLessThan(0.15 * (DAY_MIN / POLLED_EVERY_MIN));
    }
  });

  test('memory is flat', () => {
    const heldMb = first.flatMap(day => day.heldMb).slice(FIRST_TAKEN);
    const third = Math.ceil(heldMb.length / 3);
    expect(median(heldMb.slice(-third))).toBeLessThan(median(heldMb.slice(0, third)) + HELD_MAY_GAIN_MB);
    expect(first.at(-1)!.rssMb).toBeLessThan(first[0]!.rssMb * (1 + RSS_MAY_GAIN));
  });

  test('the second run does the same at the same instants', () => {
    const [one, other] = [traceOf(first.slice(0, DAYS_AGAIN)), traceOf(second)];
    expect(one.length).toBeGreaterThan(0);
    expect(other.map(([, what]) => what)).toEqual(one.map(([, what]) => what));
    const apartMs = other.reduce((most, [ms], at) => Math.max(most, Math.abs(ms - one[at]![0])), 0);
    expect(apartMs).toBeLessThanOrEqual(APART_MS);
  });
});

const traceOf = (days: readonly Day[]) => days.flatMap(({ trace }) => trace);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
