/** SIP URIs: reading, printing, and which two are the same (RFC 3261 §19.1). */
import { describe, expect, test } from 'vitest';
import { MAX_PARAMETERS, MAX_URI_LENGTH } from '../../../../firmware/sip/message/limits.ts';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseUri, printUri, type SipUri, sameUri } from '../../../../firmware/sip/message/uri.ts';

function uri(text: string): SipUri {
  const result = parseUri(text);
  if (isMalformed(result)) throw new Error(`${text}: ${result.why}`);
  return result;
}

// The examples of §19.1.3, and what the field sends.
test.each([
  ['sip:alice@atlanta.com', { scheme: 'sip', user: 'alice', host: 'atlanta.com' }],
  [
    'sip:alice:secretword@atlanta.com;transport=tcp',
    { user: 'alice', password: 'secretword', parameters: { transport: 'tcp' } },
  ],
  [
    'sips:alice@atlanta.com?subject=project%20x&priority=urgent',
    { scheme: 'sips', headers: 'subject=project%20x&priority=urgent' },
  ],
  [
    'sip:+1-212-555-1212:1234@gateway.com;user=phone',
    { user: '+1-212-555-1212', password: '1234', parameters: { user: 'phone' } },
  ],
  ['sips:1212@gateway.com', { scheme: 'sips', user: '1212' }],
  ['sip:alice@192.0.2.4', { host: '192.0.2.4' }],
  [
    'sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com',
    { host: 'atlanta.com', parameters: { method: 'REGISTER' } },
  ],
  ['sip:alice;day=tuesday@atlanta.com', { user: 'alice;day=tuesday', host: 'atlanta.com' }],
  ['SIP:Door@PBX:5070;LR', { scheme: 'sip', user: 'Door', host: 'PBX', port: 5070, parameters: { lr: true } }],
  ['sip:[2001:db8::1]:5060;transport=udp', { host: '2001:db8::1', port: 5060, parameters: { transport: 'udp' } }],
  ['sip:[::ffff:192.0.2.1]', { host: '::ffff:192.0.2.1' }],
  ['sip:*21#@pbx_1', { user: '*21#', host: 'pbx_1' }],
  ['sip:M%C3%BCller@host', { user: 'Müller' }],
  ['sip:M%FCller@host', { user: 'Müller' }],
  ['sip:a%3Ab:p%40w@host', { user: 'a:b', password: 'p@w' }],
  ['sip:a:@host', { user: 'a', password: '' }],
] as const)('reads %s', (text, expected) => {
  expect(uri(text)).toMatchObject(expected);
});

test.each([
  'sip:alice@atlanta.com',
  'sips:alice:secret@atlanta.com:5061;transport=tcp;lr?subject=x%20y',
  'sip:[2001:db8::1]:5060;maddr=[2001:db8::2]',
  'sip:a%40b%3Ac@host;x=%22quoted%22',
  'sip:M%C3%BCller@host',
  'sip:host',
])('prints %s as it was', text => {
  expect(printUri(uri(text))).toBe(text);
});

test('what is read, printed and read again stays the same', () => {
  for (const text of ['sip:*21#@pbx', 'sip:M%FCller@host', 'sip:%61lice@host;%6Cr', 'sip:[2001:db8:::192.0.2.1]']) {
    const once = printUri(uri(text));
    expect(uri(once)).toEqual(uri(text));
    expect(printUri(uri(once))).toBe(once);
  }
});

test.each([
  ['tel:+15550100', 416],
  ['http://example.org', 416],
  ['urn:service:sos', 416],
  ['alice@atlanta.com', 400],
  ['', 400],
  [':', 400],
  ['sip', 400],
  ['1sip:a@b', 400],
  ['sip:', 400],
  ['sip:@host', 400],
  ['sip::pw@host', 400],
  ['sip:a@', 400],
  ['sip:a@b@c', 400],
  ['sip:a@b c', 400],
  ['sip:a b@c', 400],
  ['sip:a@-b', 400],
  ['sip:a@b-', 400],
  ['sip:a@b/c', 400],
  ['sip:a%@b', 400],
  ['sip:a%4@b', 400],
  ['sip:a%zz@b', 400],
  ['sip:a"b@c', 400],
  ['sip:<a>@c', 400],
  ['sip:a\0@c', 400],
  ['sip:ä@c', 400],
  ['sip:a:b:c@d', 400],
  ['sip:a@b:', 400],
  ['sip:a@b:0', 400],
  ['sip:a@b:65536', 400],
  ['sip:a@b:5060x', 400],
  ['sip:a@b:-1', 400],
  ['sip:2001:db8::10', 400],
  ['sip:[2001:db8::10', 400],
  ['sip:[2001:db8::10]x', 400],
  ['sip:[2001:db8::10]:', 400],
  ['sip:[192.0.2.1]', 400],
  ['sip:[fe80::1%eth0]', 400],
  ['sip:[]', 400],
  ['sip:a@b;', 400],
  ['sip:a@b;;lr', 400],
  ['sip:a@b;=x', 400],
  ['sip:a@b;x=', 400],
  ['sip:a@b;x="y"', 400],
  ['sip:a@b;x=1;X=2', 400],
  ['sip:a@b?', 400],
  ['sip:a@b?x=<y>', 400],
  [`sip:${'a'.repeat(MAX_URI_LENGTH)}@b`, 414],
  [`sip:a@b${';p'.repeat(MAX_PARAMETERS + 1)}`, 400],
])('refuses %j with %i', (text, status) => {
  expect(parseUri(text)).toMatchObject({ kind: 'malformed', status });
});

test('takes as many parameters as the limit says', () => {
  const parameters = Array.from({ length: MAX_PARAMETERS }, (_, index) => `;p${index}`).join('');
  expect(Object.keys(uri(`sip:a@b${parameters}`).parameters)).toHaveLength(MAX_PARAMETERS);
});

test('no parameter name is special', () => {
  const { parameters } = uri('sip:a@b;__proto__=x;constructor');
  expect(Object.entries(parameters)).toEqual([
    ['__proto__', 'x'],
    ['constructor', true],
  ]);
  expect(uri('sip:a@b').parameters.constructor).toBeUndefined();
});

describe('comparison (§19.1.4)', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
  ])('%s is %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(true);
    expect(sameUri(uri(b), uri(a))).toBe(true);
  });

  test.each([
    ['sip:ALICE@atlanta.com', 'sip:alice@atlanta.com'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
    ['sip:bob@biloxi.com:6000', 'sip:bob@biloxi.com:5060'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:bob:x@host', 'sip:bob@host'],
    ['sip:host', 'sip:a@host'],
    ['sip:a@host', 'sip:a@host;maddr=192.0.2.1'],
    ['sip:a@host;user=ip', 'sip:a@host'],
  ])('%s is not %s', (a, b) => {
    expect(sameUri(uri(a), uri(b))).toBe(false);
    expect(sameUri(uri(b), uri(a))).toBe(false);
  });
});
