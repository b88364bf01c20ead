/** Strangers who want nobody here get no answer; whoever has business with the device does. */
import { describe, expect, test } from 'vitest';
import type { IgnoredMessages } from '../../../../firmware/sip/contracts.ts';
import type { PhoneOptions } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

/** The account of the stage is `user` at our own address; 192.0.2.2 is the peer. */
function asked(line: Line, change: (text: string) => string = text => text, options: Partial<PhoneOptions> = {}) {
  const ignored: IgnoredMessages[] = [];
  const { say, peer, phone, userAgent } = stage({
    settings: { strangers: 'ignore' },
    admits: { trusts: () => false, onIgnored: told => void ignored.push(told) },
    ...options,
  });
  say(change(request(line)));
  return { statuses: peer.statuses, ignored, counters: userAgent.counters, heard: phone.heard };
}

describe('no answer to', () => {
  test.each<[string, Line, string, ((text: string) => string)?]>([
    ['another user', { uri: 'sip:100@192.0.2.1' }, 'no user "100" here'],
    ['another user, by any method', { method: 'OPTIONS', uri: 'sip:100@192.0.2.1' }, 'no user "100" here'],
    ['a method that we do not have', { method: 'SCAN', uri: 'sip:100@192.0.2.1' }, 'no user "100" here'],
    [
      'a BYE of no call for another user',
      { method: 'BYE', uri: 'sip:100@192.0.2.1', to: '<sip:x@y>;tag=z' },
      'no user',
    ],
    ['another address', { uri: 'sip:user@203.0.113.7' }, '"203.0.113.7" is not us'],
    ['another name', { uri: 'sip:user@pbx.example.org' }, '"pbx.example.org" is not us'],
    [
      'REGISTER of another user',
      { method: 'REGISTER', uri: 'sip:192.0.2.1', to: '<sip:100@192.0.2.1>' },
      'no user "100"',
    ],
    ['friendly-scanner', { method: 'OPTIONS', more: 'User-Agent: friendly-scanner' }, 'a scanner: friendly-scanner'],
    ['sipcli', { more: 'User-Agent: sipcli/v1.8' }, 'a scanner: sipcli'],
    ['VaxSIPUserAgent', { more: 'User-Agent: VaxSIPUserAgent/3.5' }, 'a scanner: vaxsipuseragent'],
    ['iWar', { more: 'User-Agent: iWar' }, 'a scanner: iwar'],
    ['the signature of sipvicious', { from: '"x" <sip:100@1.1.1.1>;tag=1' }, 'a scanner: sipvicious'],
    ['its name', { from: '"sipvicious" <sip:100@192.0.2.9>;tag=1' }, 'a scanner: sipvicious'],
    ['a user who would write on the terminal', { uri: 'sip:%1b%5b31m@192.0.2.1' }, 'no user "?[31m" here'],
  ])('%s', (_, line, why, change) => {
    const { statuses, ignored, counters, heard } = asked(line, change);
    expect(statuses).toEqual([]);
    expect(heard).toEqual([]);
    expect(counters.scannerRequests).toBe(1);
    expect(ignored).toEqual([{ source: '192.0.2.2', why: expect.stringContaining(why), messages: 1 }]);
  });
});

describe('an answer to', () => {
  test.each<[string, Line, number, Partial<PhoneOptions>?]>([
    ['a call for our user', {}, 180],
    ['OPTIONS without a user', { method: 'OPTIONS', uri: 'sip:192.0.2.1' }, 200],
    [
      'a call by the name of the account',
      { uri: 'sip:user@Door.Example.org' },
      180,
      { account: { aor: 'sip:user@door.example.org' } },
    ],
    ['any user and any name, where there are no accounts', { uri: 'sip:front@door.local' }, 180, { anonymous: true }],
    ['a phone whose name only resembles a scanner', { more: 'User-Agent: Iwaru smapper' }, 180],
    ['an address that only resembles 1.1.1.1', { from: '<sip:100@1.1.1.10>;tag=1' }, 180],
    [
      'whoever it is, where strangers are answered',
      { uri: 'sip:100@203.0.113.7' },
      180,
      { settings: { strangers: 'answer' } },
    ],
    ['a trusted source', { uri: 'sip:100@203.0.113.7' }, 180, { admits: { trusts: () => true } }],
  ])('%s', (_, line, status, options) => {
    const { statuses, counters } = asked(line, undefined, options);
    expect(statuses).toEqual([status]);
    expect(counters.scannerRequests).toBe(0);
  });

  test('an IPv6 address of ours, however it is written', () => {
    const account = { aor: 'sip:user@[2001:DB8:0:0::1]' };
    expect(asked({ uri: 'sip:user@[2001:db8::1]' }, undefined, { account }).statuses).toEqual([180]);
    expect(asked({ uri: 'sip:user@[2001:db8::2]' }, undefined, { account }).statuses).toEqual([]);
  });
});

test('a stranger too many is not even told so', () => {
  const { say, peer, userAgent } = stage({ settings: { strangers: 'ignore' }, admits: { trusts: () => false } });
  for (let number = 0; number < 200; number++)
    say(
      request({ method: 'OPTIONS', uri: 'sip:100@192.0.2.1', branch: `z9hG4bK-${number}`, callId: `call-${number}` }),
    );
  expect(peer.received).toEqual([]);
  expect(userAgent.counters.scannerRequests).toBeGreaterThan(100);
});

test('excess for our user is answered 503 with Retry-After, then dropped; a running call is hung up all the same', () => {
  const { say, peer, phone, userAgent } = stage({ settings: { strangers: 'ignore' }, admits: { trusts: () => false } });
  say(request());
  phone.call!.accept({ contentType: 'application/sdp', bytes: Buffer.from('answer') });
  const to = peer.responses(180)[0]!.headers.get('To')!;
  say(request({ method: 'ACK', to }));
  for (let number = 0; number < 300; number++) say(request({ branch: `z9hG4bK-${number}`, callId: `other-${number}` }));
  const refused = peer.responses(503);
  expect(refused.length).toBeGreaterThan(5);
  expect(refused[0]!.headers.get('Retry-After')).toBe('10');
  expect(userAgent.counters.overloadDrops).toBeGreaterThan(50);
  expect(userAgent.counters.overloadRefusals).toBe(refused.length);
  for (let number = 0; number < 300; number++)
    say(request({ method: 'OPTIONS', branch: `z9hG4bK-o${number}`, callId: `option-${number}` }));
  say(request({ method: 'BYE', sequence: 2, to }));
  expect(phone.heard.at(-1)).toBe('ended by them');
});
