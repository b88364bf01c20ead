/** Accounts: how requests are addressed, and which account an INVITE is for. */
import { describe, expect, test } from 'vitest';
import { Account, accountFor } from '../../../firmware/sip/account.ts';
import type { AccountSettings } from '../../../firmware/sip/settings.ts';
import { seeded } from '../../sim/seeded.ts';

const account = (aor: string, more: Partial<AccountSettings> = {}) =>
  new Account({ id: aor, aor, register: true, expiresMs: 60_000, ...more }, seeded(1));

test('the registrar is the domain of the address of record, without its user (§10.2)', () => {
  expect(account('sip:front@example.org:5070').registrar).toBe('sip:example.org:5070');
  expect(account('sip:front@example.org', { registrar: 'sip:192.0.2.9' }).registrar).toBe('sip:192.0.2.9');
});

test('the outbound proxy is a loose route, whether it says so or not', () => {
  expect(account('sip:a@b').routes).toEqual([]);
  expect(account('sip:a@b', { outboundProxy: 'sip:proxy:5080' }).routes).toEqual(['<sip:proxy:5080;lr>']);
  expect(account('sip:a@b', { outboundProxy: 'sip:proxy;lr' }).routes).toEqual(['<sip:proxy;lr>']);
});

test('the service route follows the outbound proxy, which is not visited twice; REGISTER does not take it', () => {
  const behindProxy = account('sip:a@b', { outboundProxy: 'sip:proxy' });
  behindProxy.serviceRoute = ['<sip:core;lr>'];
  expect(behindProxy.routes).toEqual(['<sip:proxy;lr>', '<sip:core;lr>']);
  behindProxy.serviceRoute = ['<sip:orig@PROXY:5060;lr>', '<sip:core;lr>'];
  expect(behindProxy.routes).toEqual(['<sip:orig@PROXY:5060;lr>', '<sip:core;lr>']);
  expect(behindProxy.proxyRoute).toEqual(['<sip:proxy;lr>']);
});

test('the transport is that of the settings, else that of the address of record', () => {
  expect(account('sip:a@b').transport).toBeUndefined();
  expect(account('sip:a@b;transport=TCP').transport).toBe('tcp');
  expect(account('sip:a@b;transport=tcp', { transport: 'tls' }).transport).toBe('tls');
  expect(account('sip:a@b;transport=sctp').transport).toBeUndefined();
});

test('Contact names the transport that reaches us, and is SIPS where it must be', () => {
  const local = { host: '192.0.2.1', port: 5060 };
  expect(account('sip:a@b').contact(local)).toBe('sip:a@192.0.2.1:5060');
  expect(account('sip:a@b').contact({ ...local, transport: 'tcp' })).toBe('sip:a@192.0.2.1:5060;transport=tcp');
  expect(account('sip:a@b').contact({ ...local, transport: 'tls' })).toBe('sip:a@192.0.2.1:5060;transport=tls');
  expect(account('sip:a@b').contact({ ...local, transport: 'tls' }, true)).toBe('sips:a@192.0.2.1:5060');
  expect(account('sips:a@b').contact({ ...local, transport: 'tls' })).toBe('sips:a@192.0.2.1:5060');
});

test('From has the display name, quoted', () => {
  expect(account('sip:a@b', { displayName: 'Gate "A"' }).from).toBe('"Gate \\"A\\"" <sip:a@b>');
});

test('the contact has brackets around IPv6, and escapes what a user may not hold', () => {
  expect(account('sip:a@b').contact({ host: '2001:db8::1', port: 5060 })).toBe('sip:a@[2001:db8::1]:5060');
  expect(account('sip:a%40x@b').contact({ host: '192.0.2.1', port: 5060 })).toBe('sip:a%40x@192.0.2.1:5060');
});

test('an address of record that is no SIP URI is a fault of ours', () => {
  expect(() => account('front desk')).toThrow('not a SIP URI: front desk');
});

describe('an INVITE is for', () => {
  const all = [account('sip:front@one.example'), account('sip:front@two.example'), account('sip:back@one.example')];

  test.each([
    ['the account of To', 'x', '<sip:front@TWO.example>', 1],
    ['the account of the user that was called, where To is foreign', 'back', '<sip:group@pbx>', 2],
    ['the first of that user', 'front', '<sip:front@192.0.2.1>', 0],
    ['nobody else', 'guest', '<sip:guest@one.example>', -1],
    ['nobody without a user', undefined, '<tel:123>', -1],
    ['the user that was called, where To cannot be read', 'back', '"<', 2],
  ])('%s', (_, user, to, index) => {
    expect(accountFor(all, user, to)).toBe(all[index]);
  });
});
