import { describe, expect, test } from 'vitest';
import {
  CommandJudge,
  PAYLOAD_LIMIT_BYTES,
  PER_SECOND_LIMIT,
  REMEMBERED_IDS,
  Throttle,
} from '../../../firmware/report/command.ts';
import { seeded } from '../../sim/seeded.ts';

const now = Date.parse('2026-11-22T08:00:00Z');
const allowed = { commands: true, openDoors: true };

const judge = (payload: string | object | Uint8Array, policy = allowed, judging = new CommandJudge(() => policy)) =>
  judging.judge(
    payload instanceof Uint8Array
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    now,
  );

const openMain = { do: 'open', door: 'main' };

describe('takes', () => {
  test.each<[payload: string | object, verdict: object]>([
    ['open main', { is: 'good', action: openMain }],
    [' open main\n', { is: 'good', action: openMain }],
    [{ action: 'open main' }, { is: 'good', action: openMain }],
    [
      { action: 'open main', id: '7' },
      { is: 'good', action: openMain, id: '7' },
    ],
    [
      { action: 'open main', ts: '2026-11-22T08:00:00Z' },
      { is: 'good', action: openMain },
    ],
    [
      { action: 'open main', ts: '2026-11-22T09:59:51+02:00' },
      { is: 'good', action: openMain },
    ],
    [
      { action: 'open main', ts: '2026-11-22T07:00:00Z', ttl: 3600 },
      { is: 'good', action: openMain },
    ],
  ])('%j', (payload, verdict) => expect(judge(payload)).toEqual(verdict));
});

describe('refuses', () => {
  test.each<[payload: string | object | Uint8Array, why: string]>([
    ['', 'there is no action here'],
    ['fly', '"fly" is not an action'],
    ['[1]', 'is not an action'],
    ['{', 'begins as JSON and is none'],
    ['{}', 'action'],
    [{ action: 7 }, 'action'],
    [{ action: 'fly' }, '"fly" is not an action'],
    [{ action: 'open main', tll: 5 }, 'tll'],
    [{ action: 'open main', id: '' }, 'id'],
    [{ action: 'open main', id: 7 }, 'id'],
    [{ action: 'open main', id: 'x'.repeat(65) }, 'id'],
    [{ action: 'open main', ttl: 5 }, '`ttl` wants `ts`'],
    [{ action: 'open main', ts: 'yesterday' }, 'ts'],
    [{ action: 'open main', ts: '2026-11-22T08:00:00' }, 'ts'],
    [{ action: 'open main', ts: '2026-11-22T08:00:00Z', ttl: -1 }, 'ttl'],
    [
      { action: 'open main', ts: '2026-11-22T07:59:49Z' },
      'too old: it was good for 10 s, and here it is 2026-11-22T08:00:00',
    ],
    [{ action: 'open main', ts: '2026-11-22T07:59:57Z', ttl: 2 }, 'too old'],
    [{ action: 'open main', ts: '2026-11-22T08:00:11Z' }, 'from the future: here it is 2026-11-22T08:00:00'],
    [new Uint8Array([0xff, 0xfe]), 'not UTF-8'],
    [new Uint8Array(PAYLOAD_LIMIT_BYTES + 1), 'at most 4096 bytes'],
  ])('%j', (payload, why) => {
    expect(judge(payload)).toMatchObject({ is: 'refused', code: 'bad request', why: expect.stringContaining(why) });
  });

  test('what is not allowed over MQTT, naming the setting', () => {
    const strict = { commands: true, openDoors: false };
    expect(judge({ action: 'open main', id: 'a' }, strict)).toEqual({
      is: 'refused',
      code: 'not allowed',
      why: 'doors are not opened over MQTT here (mqtt.openDoors)',
      id: 'a',
    });
    expect(judge('call desk', strict)).toMatchObject({ is: 'good' });
    const off = { commands: false, openDoors: true };
    expect(judge('call desk', off)).toMatchObject({
      code: 'not allowed',
      why: expect.stringContaining('mqtt.commands'),
    });
    for (const debug of ['stall 2 s', 'move input button on']) {
      expect(judge(debug)).toMatchObject({ code: 'not allowed', why: expect.stringContaining('command line only') });
    }
  });

  test('whatever the bytes, without an exception', () => {
    const random = seeded(3);
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: random.uint32() % 40 }, () => random.uint32());
      expect(judge(bytes).is).toBe('refused');
    }
  });
});

describe('a repeated id', () => {
  test('is carried out once', () => {
    const judging = new CommandJudge(() => allowed);
    const command = { action: 'open main', id: 'a' };
    expect(judge(command, allowed, judging)).toMatchObject({ is: 'good' });
    expect(judge(command, allowed, judging)).toEqual({ is: 'repeated', id: 'a' });
    expect(judge({ ...command, id: 'b' }, allowed, judging)).toMatchObject({ is: 'good' });
  });

  test('of a command that was refused may be used again', () => {
    const judging = new CommandJudge(() => allowed);
    expect(judge({ action: 'fly', id: 'a' }, allowed, judging)).toMatchObject({ is: 'refused', id: 'a' });
    expect(judge({ action: 'open main', id: 'a' }, allowed, judging)).toMatchObject({ is: 'good' });
  });

  test('is remembered among the last so many', () => {
    const judging = new CommandJudge(() => allowed);
    const ask = (id: number) => judge({ action: 'open main', id: String(id) }, allowed, judging).is;
    for (let id = 0; id < REMEMBERED_IDS; id++) expect(ask(id)).toBe('good');
    expect(ask(0)).toBe('repeated');
    expect(ask(REMEMBERED_IDS)).toBe('good');
    expect(ask(0)).toBe('good');
    expect(ask(REMEMBERED_IDS)).toBe('repeated');
  });
});

test('so many a second pass, whichever second', () => {
  const throttle = new Throttle(PER_SECOND_LIMIT);
  const pass = (nowMs: number, count: number) =>
    Array.from({ length: count }, () => throttle.pass(nowMs)).filter(Boolean).length;
  expect(pass(5000, 50)).toBe(PER_SECOND_LIMIT);
  expect(pass(5999, 50)).toBe(0);
  expect(pass(6000, 50)).toBe(PER_SECOND_LIMIT);
});
