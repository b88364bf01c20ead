/** Accounts: how requests are addressed, and which account an INVITE is for. */
import { describe, expect, test } from 'vitest';
import { Account, accountFor } from '../../../firmware/sip/account.ts';
import type { AccountSettings } from '../../../firmware/sip/contracts.ts';
import { seeded } from '../../sim/seeded.ts';

const account = (aor: string, more: Partial<AccountSettings> = {}) =>
  new Account({ id: aor, aor, register: true, expiresMs: 60_000, ...more }, seeded(1));

test('the registrar is the domain of the address of record, without its user (§10.2)', () => {
  expect(account('sip:front@example.org:5070').registrar).toBe('sip:example.org:5070');
  expect(account('sip:front@example.org', { registrar: 'sip:192.0.2.9' }).registrar).toBe('sip:192.0.2.9');
});

test('the outbound proxy is a loose route, whether it says so or not', () => {
  expect(account('sip:a@b').route).toBeUndefined();
  expect(account('sip:a@b', { outboundProxy: 'sip:proxy:5080' }).route).toBe('<sip:proxy:5080;lr>');
  expect(account('sip:a@b', { outboundProxy: 'sip:proxy;lr' }).route).toBe('<sip:proxy;lr>');
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
