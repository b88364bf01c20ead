/** INVITE server transaction, by the clock. */
import { expect, test } from 'vitest';
import { inviteServer } from '../../../../firmware/sip/transaction/invite-server.ts';
import { transcript } from './transcript.ts';

const serving = () => transcript(inviteServer<string>(), { reliable: false }, 'INVITE');

test('hands the INVITE up, and says 100 again for a copy of it', () => {
  const { log, transaction } = serving();
  transaction.handle('send 1xx', '100');
  transaction.handle('INVITE', 'copy');
  expect(log).toEqual(['0 deliver INVITE', '0 send 100', '0 resend 100']);
});

test('answers a copy with the last provisional response', () => {
  const { log, transaction } = serving();
  transaction.handle('send 1xx', '180');
  transaction.handle('INVITE', 'copy');
  expect(log.slice(1)).toEqual(['0 send 180', '0 resend 180']);
});

test('resends a failure at 0.5, 1.5, 3.5 s and then every 4 s, and gives up the ACK at 32 s (§17.2.1)', () => {
  const { clock, log, transaction } = serving();
  transaction.handle('send 3xx-6xx', '486');
  clock.advance(100_000);
  expect(log.slice(1)).toEqual([
    '0 send 486',
    ...[500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map(atMs => `${atMs} resend 486`),
    '32000 fail timeout',
    '32000 ended',
  ]);
});

test('the ACK stops the resending; copies of it are absorbed for 5 s', () => {
  const { clock, log, transaction } = serving();
  transaction.handle('send 3xx-6xx', '486');
  clock.advance(600);
  transaction.handle('ACK', 'ACK');
  transaction.handle('ACK', 'ACK');
  transaction.handle('INVITE', 'late copy');
  clock.advance(100_000);
  expect(log.slice(1)).toEqual(['0 send 486', '500 resend 486', '5600 ended']);
});

test('after a 2xx absorbs copies of the INVITE, lets the 2xx be repeated, and ends at timer L (RFC 6026 §7.1)', () => {
  const { clock, log, transaction } = serving();
  transaction.handle('send 2xx', '200');
  transaction.handle('INVITE', 'copy');
  clock.advance(500);
  transaction.handle('send 2xx', '200');
  transaction.handle('send 3xx-6xx', '500');
  clock.advance(100_000);
  expect(log.slice(1)).toEqual(['0 send 200', '500 resend 200', '32000 ended']);
});
