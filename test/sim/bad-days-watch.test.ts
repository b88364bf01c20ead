/** The checks of the bad days see what they are for: each is shown something broken. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DeviceEvent } from '../../firmware/controller/contracts.ts';
import type { CallHandler } from '../../firmware/sip/contracts.ts';
import { agentDay } from './days/agent-day.ts';
import { playDay, Tally, taleOf } from './days/days.ts';
import { deviceTroubleKinds, drawDeviceDay } from './days/device-plan.ts';
import { EventWatch, type WatchedDevice } from './days/event-watch.ts';
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

test('a call that is hung up is told to be over before that returns', () => {
  const record = new CallRecord('front');
  const handler = record.handler();
  record.hangUp();
  handler.onEnded({ by: 'us' });
  expect(faultsOf(record)).toEqual([expect.stringMatching(/^was hung up, and not told to be over at once/)]);
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
  watch.stopped(town({ alive: { transactions: 0, calls: 0, timers: 2 } }).speakers[0]!);
  expect(watch.faults).toEqual([
    'desk has 1000 transactions at 0 s',
    'desk has 1000 timers at 0 s',
    'desk still has 1 calls',
    'desk still has 1 timers; armed: ',
    'desk left behind: 1 transactions, 0 calls, 0 timers',
    'still armed: timer B',
    'desk has stopped with 0 transactions, 0 calls, 2 timers',
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

/** A device that says and does what a test has it say and do. */
function device() {
  const events: DeviceEvent[] = [];
  const watch = new EventWatch();
  const state = { closed: false, unlocked: false, call: 'idle', deviceCalls: 0 };
  const watched = {
    events,
    output: () => state.closed,
    intercom: {
      status: () => ({ call: { state: state.call }, doors: { main: { unlocked: state.unlocked } }, sip: counters }),
      get alive() {
        return { transactions: 0, calls: 0, timers: 0, deviceCalls: state.deviceCalls };
      },
    },
  } as unknown as WatchedDevice;
  const tell = (source: DeviceEvent['source'], type: string, facts: object = {}, seq = events.length + 1) => {
    const event = { seq, session: '', ts: '', source, type, ...facts };
    events.push(event);
    watch.heard(event, watched);
  };
  return { watch, watched, state, tell };
}

test('a relay that moves without a word, without a cause or for too long is seen', () => {
  const { watch, watched, state, tell } = device();
  watch.causes = 1;
  tell('door', 'opening');
  Object.assign(state, { closed: true, unlocked: true });
  tell('door', 'unlocked');
  watch.look(watched, 2_000);
  expect(watch.faults).toEqual([]);
  watch.look(watched, 6_000);
  tell('door', 'locked');
  watch.look(watched, 6_100);
  tell('door', 'opening');
  expect(watch.faults).toEqual([
    'the relay is still closed at 6000 ms',
    'the relay has moved without a word at 6100 ms',
    'the relay is still closed at 6100 ms',
    'the door opened 2 times and was asked 1 times',
  ]);
});

test('a call without an end, an event without its number and a state without a call are seen', () => {
  const { watch, watched, state, tell } = device();
  tell('call', 'incoming', { direction: 'incoming' });
  tell('call', 'calling', {}, 5);
  Object.assign(state, { call: 'talking', deviceCalls: 1 });
  watch.atRest(watched, 1);
  expect(watch.faults).toEqual([
    'event 5 came after 1',
    '1 calls of the device and 0 of its user agent are still up',
    '1 calls of the desk are still up',
    'the device is talking, without a call',
    '1 calls came, 0 ended',
    '1 calls went out, 0 ended',
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
  // 48 is a day of a whole device.
  for (const seed of [3, 8, 21, 48]) expect(await hash(seed)).toBe(await hash(seed));
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
  const befallen = Array.from({ length: 200 }, (_, seed) => drawDeviceDay(seed).troubles.map(({ what }) => what.is));
  expect([...new Set(befallen.flat())].sort()).toEqual([...deviceTroubleKinds].sort());
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
    `seed 3, agent, ${result.preset}:`,
    '  desk still has 1 calls',
    'again: scripts/sim --seed 3 --verbose',
  ]);
  expect(tale).toContain(`  ${result.trace.at(-1)}`);
});
