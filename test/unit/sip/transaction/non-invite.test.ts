/** Non-INVITE transactions, client and server, by the clock. */
import { describe, expect, test } from 'vitest';
import { nonInviteClient } from '../../../../firmware/sip/transaction/non-invite-client.ts';
import { nonInviteServer } from '../../../../firmware/sip/transaction/non-invite-server.ts';
import { transcript } from './transcript.ts';

describe('client', () => {
  const asking = () => transcript(nonInviteClient<string>(), { request: 'BYE', reliable: false });

  test('resends at 0.5, 1.5, 3.5 s and then every 4 s, and gives up at 32 s (§17.1.2.2)', () => {
    const { clock, log } = asking();
    clock.advance(100_000);
    expect(log).toEqual([
      '0 send BYE',
      ...[500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map(atMs => `${atMs} resend BYE`),
      '32000 fail timeout',
      '32000 ended',
    ]);
  });

  test('a provisional response slows the resending to every 4 s, and the timeout stays', () => {
    const { clock, log, transaction } = asking();
    transaction.handle('1xx', '100');
    clock.advance(100_000);
    expect(log.slice(0, 4)).toEqual(['0 send BYE', '0 deliver 100', '500 resend BYE', '4500 resend BYE']);
    expect(log.slice(-2)).toEqual(['32000 fail timeout', '32000 ended']);
  });

  test('delivers one final response and absorbs its copies for 5 s', () => {
    const { clock, log, transaction } = asking();
    transaction.handle('2xx-6xx', '200');
    transaction.handle('2xx-6xx', '200');
    clock.advance(100_000);
    expect(log).toEqual(['0 send BYE', '0 deliver 200', '5000 ended']);
  });
});

describe('server', () => {
  const serving = () => transcript(nonInviteServer<string>(), { reliable: false }, 'OPTIONS');

  test('says nothing to a copy before there is an answer, and repeats the answer afterwards for 32 s', () => {
    const { clock, log, transaction } = serving();
    transaction.handle('request', 'copy');
    transaction.handle('send 2xx-6xx', '200');
    clock.advance(31_000);
    transaction.handle('request', 'copy');
    clock.advance(100_000);
    expect(log).toEqual(['0 deliver OPTIONS', '0 send 200', '31000 resend 200', '32000 ended']);
  });

  test('a second final answer is not sent', () => {
    const { log, transaction } = serving();
    transaction.handle('send 2xx-6xx', '200');
    transaction.handle('send 2xx-6xx', '500');
    expect(log).toEqual(['0 deliver OPTIONS', '0 send 200']);
  });

  test('repeats a provisional answer, until the final one', () => {
    const { log, transaction } = serving();
    transaction.handle('send 1xx', '100');
    transaction.handle('request', 'copy');
    transaction.handle('send 2xx-6xx', '200');
    expect(log).toEqual(['0 deliver OPTIONS', '0 send 100', '0 resend 100', '0 send 200']);
  });
});
