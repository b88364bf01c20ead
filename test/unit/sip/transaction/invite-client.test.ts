/** INVITE client transaction, by the clock. */
import { expect, test } from 'vitest';
import { inviteClient } from '../../../../firmware/sip/transaction/invite-client.ts';
import { transcript } from './transcript.ts';

const calling = () =>
  transcript(inviteClient<string>(), { invite: 'INVITE', reliable: false, ack: response => `ACK(${response})` });

test('resends at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and gives up at 32 s (§17.1.1.2)', () => {
  const { clock, log } = calling();
  clock.advance(100_000);
  expect(log).toEqual([
    '0 send INVITE',
    ...[500, 1500, 3500, 7500, 15500, 31500].map(atMs => `${atMs} resend INVITE`),
    '32000 fail timeout',
    '32000 ended',
  ]);
  expect(clock.armed).toEqual([]);
});

test('abandoned, it is sent no more and still heard until 32 s', () => {
  const { clock, log, transaction } = calling();
  clock.advance(4_000);
  transaction.handle('abandoned', 'INVITE');
  clock.advance(100_000);
  expect(log.slice(4)).toEqual(['32000 fail timeout', '32000 ended']);

  const late = calling();
  late.transaction.handle('abandoned', 'INVITE');
  late.transaction.handle('1xx', '180');
  late.transaction.handle('2xx', '200');
  expect(late.log).toEqual(['0 send INVITE', '0 deliver 180', '0 deliver 200']);
});

test('a provisional response stops the resending and the timeout', () => {
  const { clock, log, transaction } = calling();
  transaction.handle('1xx', '180');
  clock.advance(600_000);
  expect(log).toEqual(['0 send INVITE', '0 deliver 180']);
  expect(transaction.state).toBe('proceeding');
});

test('answers every copy of a failure with an ACK until timer D, and delivers it once', () => {
  const { clock, log, transaction } = calling();
  transaction.handle('3xx-6xx', '486');
  clock.advance(1_000);
  transaction.handle('3xx-6xx', '486');
  clock.advance(40_000);
  transaction.handle('3xx-6xx', '486');
  expect(log).toEqual(['0 send INVITE', '0 send ACK(486)', '0 deliver 486', '1000 resend ACK(486)', '32000 ended']);
});

test('passes every 2xx up until timer M (RFC 6026 §7.2)', () => {
  const { clock, log, transaction } = calling();
  transaction.handle('2xx', '200 a');
  transaction.handle('2xx', '200 b');
  transaction.handle('3xx-6xx', '486');
  clock.advance(32_000);
  transaction.handle('2xx', '200 c');
  expect(log).toEqual(['0 send INVITE', '0 deliver 200 a', '0 deliver 200 b', '32000 ended']);
});

test('a transport error ends it at once before an answer, and is ignored after one', () => {
  const early = calling();
  early.transaction.handle('transport error', '');
  expect(early.log).toEqual(['0 send INVITE', '0 fail transport error', '0 ended']);
  const late = calling();
  late.transaction.handle('3xx-6xx', '486');
  late.transaction.handle('transport error', '');
  expect(late.transaction.state).toBe('completed');
});

test('stop leaves nothing armed and says nothing', () => {
  const { clock, log, transaction } = calling();
  transaction.stop();
  clock.advance(100_000);
  transaction.handle('2xx', '200');
  expect(log).toEqual(['0 send INVITE']);
  expect(clock.idle).toBe(true);
});
