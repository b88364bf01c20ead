/** Why the peer ended a call, in its own words (RFC 3326). */
import { expect, test } from 'vitest';
import { Headers } from '../../../../firmware/sip/message/headers.ts';
import { printReason, reasonOf } from '../../../../firmware/sip/session/reason.ts';

test.each([
  ['Q.850;cause=16;text="Normal call clearing"', 'Normal call clearing'],
  ['Q.850 ;cause=16', 'Q.850 16'],
  ['SIP;cause=200;text="Call completed elsewhere", Q.850;cause=26', 'Call completed elsewhere'],
  ['SIP', 'SIP'],
  ['SIP;cause', 'SIP'],
  ['SIP;text="unterminated', undefined],
  [undefined, undefined],
])('%s is told as %s', (value, told) => {
  const headers = new Headers();
  if (value !== undefined) headers.add('Reason', value);
  expect(reasonOf({ kind: 'request', method: 'BYE', uri: 'sip:a', headers, body: new Uint8Array() })).toBe(told);
});

test.each(['no answer', 'a "quoted" word', 'a \\ stroke'])('what we write (%s) is read as it was meant', text => {
  const headers = new Headers();
  headers.add('Reason', printReason({ cause: 408, text }));
  expect(reasonOf({ kind: 'request', method: 'BYE', uri: 'sip:a', headers, body: new Uint8Array() })).toBe(text);
});

test.each([
  ['SIP;cause=200;text="Call completed elsewhere"', 'answered elsewhere'],
  ['Q.850;cause=26, sip ; text="x" ; cause=200', 'answered elsewhere'],
  ['SIP;cause=487', 'SIP 487'],
  ['SIP;cause=200;text="open', undefined],
])('%s in a CANCEL is told as %s', (value, told) => {
  const headers = new Headers();
  headers.add('Reason', value);
  expect(reasonOf({ kind: 'request', method: 'CANCEL', uri: 'sip:a', headers, body: new Uint8Array() })).toBe(told);
});
