/** Requests that have been answered: kept for copies, bounded in number and bytes, no burden on those that wait. */

import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../../firmware/lib/log.ts';
import { newCounters } from '../../../../firmware/sip/counters.ts';
import { Answered, answeredLimit, answeredLimitBytes } from '../../../../firmware/sip/transaction/answered.ts';
import { serverTransactionLimit, TransactionLayer } from '../../../../firmware/sip/transaction/layer.ts';
import { seeded } from '../../../sim/seeded.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';
import { request } from '../stage.ts';

describe('the table', () => {
  test('lets the one answered longest ago go, where there are too many', () => {
    const answered = new Answered();
    for (let index = 0; index < answeredLimit; index++) answered.add(`key ${index}`, 100);
    expect(answered.excess).toBeUndefined();
    answered.add('one more', 100);
    expect(answered.excess).toBe('key 0');
    answered.delete('key 0');
    expect(answered.excess).toBeUndefined();
  });

  test('and where they are too large', () => {
    const answered = new Answered();
    for (const key of ['first', 'second', 'third']) answered.add(key, answeredLimitBytes / 2);
    expect(answered.excess).toBe('first');
    answered.delete('first');
    expect(answered.excess).toBeUndefined();
    expect(answered.bytes).toBe(answeredLimitBytes);
  });
});

/** A layer that answers each request at once, `bodyBytes` long. */
function answering(bodyBytes = 0) {
  const clock = new VirtualClock();
  let answers = 0;
  let refusals = 0;
  const counters = newCounters();
  const transport = {
    localFor: () => ({ host: '192.0.2.1', port: 5060 }),
    send: (bytes: Uint8Array) => {
      const status = Buffer.from(bytes.subarray(8, 11)).toString();
      if (status === '200') answers++;
      if (status === '503') refusals++;
    },
  };
  const layer = new TransactionLayer(
    { clock, random: seeded(1), log: silentLog, transport, counters, product: 'porter/test' },
    {
      onRequest: transaction => {
        const body = { contentType: 'text/plain', bytes: new Uint8Array(bodyBytes) };
        transaction.respond(200, bodyBytes === 0 ? {} : { body });
      },
      onAck() {},
    },
  );
  const ask = (number: number) =>
    layer.receive(
      Buffer.from(
        request({ method: 'OPTIONS', callId: `call-${number}`, branch: `z9hG4bK-${number}` }).replaceAll('\n', '\r\n'),
      ),
      { host: '192.0.2.2', port: 5060 },
    );
  return { clock, layer, counters, ask, answers: () => answers, refusals: () => refusals };
}

test('400 requests a second for 40 s, as 200 calls a second are, are all answered', () => {
  const { clock, layer, ask, answers, refusals } = answering();
  for (let number = 0; number < 16_000; number++) {
    ask(number);
    if (number % 2 === 1) clock.advance(5);
  }
  expect([answers(), refusals()]).toEqual([16_000, 0]);
  expect(layer.answered).toBeGreaterThan(10 * serverTransactionLimit);
  expect(layer.answered).toBeLessThan(answeredLimit);
  clock.advance(32_000);
  expect(layer.size).toBe(0);
  expect(clock.idle).toBe(true);
});

test('a copy is answered again, until 32 s have passed and it is a request like any other', () => {
  const { clock, counters, ask, answers } = answering();
  ask(1);
  clock.advance(31_000);
  ask(1);
  expect([answers(), counters.retransmissions]).toEqual([2, 1]);
  clock.advance(1_000);
  ask(1);
  expect([answers(), counters.retransmissions]).toEqual([3, 1]);
});

test('large answers are bounded by their bytes, the oldest forgotten first, with its timer', () => {
  const bodyBytes = 60_000;
  const { clock, layer, counters, ask } = answering(bodyBytes);
  const most = Math.floor(answeredLimitBytes / bodyBytes);
  for (let number = 0; number <= most; number++) ask(number);
  expect(layer.answered).toBeLessThanOrEqual(most);
  expect(clock.armed).toHaveLength(layer.size);
  ask(most);
  expect(counters.retransmissions).toBe(1);
  ask(0);
  expect(counters.retransmissions).toBe(1);
});
