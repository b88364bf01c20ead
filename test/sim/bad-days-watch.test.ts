/** The checks of the bad days see what they are for: each is shown something broken. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CallHandler } from '../../firmware/sip/contracts.ts';
import { agentDay } from './days/agent-day.ts';
import { playDay, Tally, taleOf } from './days/days.ts';
import { OwnClock } from './days/own-clock.ts';
import { drawDay, troubleKinds } from './days/plan.ts';
import { recoveryLimitMs } from './days/promise.ts';
import { CallRecord, faultsOf } from './days/records.ts';
import { Watch, type Watched } from './days/watch.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Faults of a call of which this was told, one after the other. */
const told = (...tellings: ((handler: CallHandler) => void)[]) => {
  const record = new CallRecord('front');
  const handler = record.handler();
  for (const tell of tellings) tell(handler);
  return faultsOf(record).map(fault => fault.split(' (')[0]);
};
const counters = {
  receivedMessages: 0,
  sentMessages: 0,
  malformedMessages: 0,
  retransmissions: 0,
  strayMessages: 0,
  rejectedRequests: 0,
};
const town = (changes: object = {}, armed: string[] = []) =>
  ({
    clock: { armed, now: () => 0 },
    speakers: [
      {
        name: 'desk',
        isDead: false,
        records: [],
        userAgent: { alive: { transactions: 0, calls: 0, timers: 0 }, counters, ...changes },
      },
    ],
  }) as unknown as Watched;

test('a call with one end is good; with none, with two, or with something after it, it is not', () => {
  const progress = (call: CallHandler) => call.onProgress(180, '', undefined);
  const answered = (call: CallHandler) => call.onAnswered(undefined);
  const ended = (call: CallHandler) => call.onEnded({ by: 'us' });
  expect(told(progress, answered, ended)).toEqual([]);
  expect(told(progress)).toEqual(['has no outcome']);
  expect(told(ended, ended)).toEqual(['ended 2 times']);
  expect(told(ended, progress)).toEqual(['something was told after the end']);
  expect(told(answered, answered, ended)).toEqual(['answered twice']);
});

test('who has lost its power owes no outcome', () => {
  const record = new CallRecord('desk');
  record.isLost = true;
  expect(faultsOf(record)).toEqual([]);
});

test('a leak is seen at any moment, after the last call, and after the end', () => {
  const watch = new Watch();
  watch.look(town({ alive: { transactions: 1_000, calls: 0, timers: 1_000 } }));
  watch.atRest(town({ alive: { transactions: 0, calls: 1, timers: 1 } }));
  watch.over(town({ alive: { transactions: 1, calls: 0, timers: 0 } }, ['timer B']));
  expect(watch.faults).toEqual([
    'desk has 1000 transactions at 0 s',
    'desk has 1000 timers at 0 s',
    'desk still has 1 calls',
    'desk still has 1 timers; armed: ',
    'desk left behind: 1 transactions, 0 calls, 0 timers',
    'still armed: timer B',
  ]);
});

test('a counter that goes back, or is no number, is seen', () => {
  const watch = new Watch();
  const changing = { ...counters, sentMessages: 5 };
  const same = town({ counters: changing });
  watch.look(same);
  changing.sentMessages = 4;
  watch.look(same);
  changing.sentMessages = Number.NaN;
  watch.look(same);
  expect(watch.faults).toEqual([
    'desk: sentMessages went back to 4 at 0 s',
    'desk: sentMessages went back to NaN at 0 s',
  ]);
});

test('what happens in its sleep is done on waking, in order; the dead do nothing', () => {
  const clock = new VirtualClock();
  const own = new OwnClock(clock);
  const done: string[] = [];
  own.after(10, () => done.push('first'));
  own.after(20, () => done.push('second'));
  const cancel = own.after(30, () => done.push('cancelled'));
  own.sleep();
  clock.advance(100);
  cancel();
  expect(done).toEqual([]);
  own.wake();
  expect(done).toEqual(['first', 'second']);
  own.after(10, () => done.push('never'));
  own.die();
  clock.advance(100);
  expect(done).toEqual(['first', 'second']);
});

test('the promise to be back: at least the longest pause, at least the time of a registration', () => {
  const usual = { expiresMs: 60_000, ttlMs: 0, retryAfterMs: 0, servers: 1 };
  expect(recoveryLimitMs(usual)).toBeGreaterThan(300_000);
  expect(recoveryLimitMs(usual)).toBeLessThan(660_000);
  expect(recoveryLimitMs({ ...usual, expiresMs: 3_600_000 })).toBeGreaterThan(3_240_000);
  expect(recoveryLimitMs({ ...usual, retryAfterMs: 900_000 })).toBeGreaterThan(900_000);
});

test('the same seed gives the same trace, another seed another', async () => {
  const hash = async (seed: number) =>
    createHash('sha256')
      .update((await playDay(seed)).trace.join('\n'))
      .digest('hex');
  for (const seed of [3, 8, 21, 40]) expect(await hash(seed)).toBe(await hash(seed));
  expect(await hash(3)).not.toBe(await hash(4));
});

test('a thousand seeds draw every kind of trouble, and days without any', () => {
  const drawn = new Set<string>();
  let quiet = 0;
  for (let seed = 1; seed <= 1_000; seed++) {
    const { troubles } = drawDay(seed);
    for (const { what } of troubles) drawn.add(what.is);
    if (troubles.length === 0) quiet++;
  }
  expect([...drawn].sort()).toEqual([...troubleKinds].sort());
  expect(quiet).toBeGreaterThan(50);
});

test('the days are of use: calls are answered and fail, and the device loses its registration and finds it again', () => {
  const tally = new Tally();
  for (let seed = 1; seed <= 60; seed++) tally.add(agentDay(seed));
  const { calls, recoverySeconds, failed } = tally.summary;
  expect(failed).toEqual([]);
  expect(calls.answered).toBeGreaterThan(60);
  expect(calls.failed).toBeGreaterThan(10);
  expect(recoverySeconds.max).toBeGreaterThan(30);
});

test('a failed day names its seed, the command that plays it again, and what went over the wire last', () => {
  const result = { ...agentDay(3), faults: ['desk still has 1 calls'] };
  const tale = taleOf(result, 5);
  expect(tale.split('\n').slice(0, 3)).toEqual([
    `seed 3, ${result.preset}:`,
    '  desk still has 1 calls',
    'again: scripts/sim --seed 3 --verbose',
  ]);
  expect(tale).toContain(`  ${result.trace.at(-1)}`);
});
