/** What an account asks for and publishes begins when it is registered, and hides who it is where it should. */
import { expect, test } from 'vitest';
import type { SubscriptionState } from '../../../../firmware/sip/event/contracts.ts';
import type { AccountSettings } from '../../../../firmware/sip/settings.ts';
import { stage } from '../stage.ts';

const watched = { target: 'sip:desk@192.0.2.2', event: 'presence', accept: [], expiresMs: 600_000 };

/** A server that takes registrations once `opens` was called, and everything else always. */
function outside(account: Partial<AccountSettings>) {
  const all = stage({ account: { aor: 'sip:user@192.0.2.2', publish: true, ...account } });
  const { clock, peer, userAgent } = all;
  let isOpen = false;
  peer.onRequest = received => {
    const isRefused = received.method === 'REGISTER' && !isOpen;
    peer.reply(received, isRefused ? 503 : 200, { headers: [['Expires', received.headers.get('Expires') ?? '0']] });
  };
  const states: SubscriptionState['is'][] = [];
  const stop = userAgent.subscribe(watched, { onState: ({ is }) => states.push(is), onNotify() {} });
  clock.advance(30_000);
  const asked = () => peer.requests('SUBSCRIBE').length + peer.requests('PUBLISH').length;
  const opens = () => {
    isOpen = true;
    clock.advance(60_000);
  };
  return { ...all, states, asked, opens, stop };
}

test('an account that is not registered subscribes to nothing and publishes nothing', () => {
  const { asked, opens, peer, states } = outside({ register: true });
  expect(asked()).toBe(0);
  expect(states).toEqual(['asking']);
  opens();
  expect(peer.requests('PUBLISH')).toHaveLength(1);
  expect(peer.requests('SUBSCRIBE').length).toBeGreaterThan(0);
});

test('one that need not be registered begins at once', () => {
  const { peer } = outside({ register: false });
  expect(peer.requests('PUBLISH')).toHaveLength(1);
  expect(peer.requests('SUBSCRIBE').length).toBeGreaterThan(0);
});

test('a subscription that was ended while it waited is never asked for', () => {
  const { opens, peer, stop } = outside({ register: true });
  stop();
  opens();
  expect(peer.requests('SUBSCRIBE')).toEqual([]);
});

test('a user agent that stops before it was ever registered leaves nothing behind', () => {
  const { asked, clock, userAgent } = outside({ register: true });
  let isStopped = false;
  userAgent.stop(5_000, () => {
    isStopped = true;
  });
  clock.advance(5_000);
  expect(isStopped).toBe(true);
  expect(asked()).toBe(0);
  expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('a private account is told to its server alone (RFC 3323, RFC 3325)', () => {
  const { clock, peer, userAgent } = outside({ register: false, anonymous: true });
  userAgent.sendText({ target: 'sip:desk@192.0.2.2', text: 'hello' }, () => {});
  clock.advance(100);
  for (const method of ['SUBSCRIBE', 'PUBLISH', 'MESSAGE']) {
    const { headers } = peer.requests(method)[0]!;
    expect(headers.get('From')).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/);
    expect(headers.get('Privacy')).toBe('id');
    expect(headers.get('P-Preferred-Identity')).toContain('<sip:user@192.0.2.2>');
  }
});
