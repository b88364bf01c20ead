/** The structured header fields: name-addr, Via, CSeq, and the words of a status. */
import { describe, expect, test } from 'vitest';
import { parseCSeq } from '../../../../firmware/sip/message/cseq.ts';
import { MAX_PARAMETERS, MAX_URI_LENGTH } from '../../../../firmware/sip/message/limits.ts';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseNameAddress, printNameAddress } from '../../../../firmware/sip/message/name-addr.ts';
import { reasonPhrase } from '../../../../firmware/sip/message/status.ts';
import { parseVia, printVia } from '../../../../firmware/sip/message/via.ts';

function sound<T extends object>(result: T): T {
  if (isMalformed(result)) throw new Error(result.why);
  return result;
}

const malformedWith = { kind: 'malformed', status: 400 };

describe('name-addr', () => {
  test.each([
    ['<sip:a@b>', { uri: 'sip:a@b', parameters: {} }],
    ['  <sip:a@b;lr>;tag=1  ', { uri: 'sip:a@b;lr', parameters: { tag: '1' } }],
    ['sip:a@b;tag=1', { uri: 'sip:a@b', parameters: { tag: '1' } }],
    ['"A \\"B\\" \\\\" <sip:a@b>', { displayName: 'A "B" \\', uri: 'sip:a@b', parameters: {} }],
    ['"a<b>, c"<sip:a@b>', { displayName: 'a<b>, c', uri: 'sip:a@b', parameters: {} }],
    ['""<sip:a@b>', { uri: 'sip:a@b', parameters: {} }],
    ['Front Door <sip:a@b>', { displayName: 'Front Door', uri: 'sip:a@b', parameters: {} }],
    ['Bell, Alexander <sip:a@b>;tag=43', { displayName: 'Bell, Alexander', uri: 'sip:a@b', parameters: { tag: '43' } }],
    ['Müller <sip:a@b>', { displayName: 'Müller', uri: 'sip:a@b', parameters: {} }],
    ['"T" < sip:a@b >', { displayName: 'T', uri: 'sip:a@b', parameters: {} }],
    ['<tel:+15550100;phone-context=x>;q=0.5', { uri: 'tel:+15550100;phone-context=x', parameters: { q: '0.5' } }],
    ['<sip:a@b>;Tag = AbC ; flag', { uri: 'sip:a@b', parameters: { tag: 'AbC', flag: true } }],
    ['<sip:a@b>;tag=a=b/c@d', { uri: 'sip:a@b', parameters: { tag: 'a=b/c@d' } }],
    ['<sip:a@b>;+sip.instance="<urn:uuid:1;2>"', { uri: 'sip:a@b', parameters: { '+sip.instance': '<urn:uuid:1;2>' } }],
    ['<sip:a@b>;x="a\\"b;c=d"', { uri: 'sip:a@b', parameters: { x: 'a"b;c=d' } }],
  ])('reads %s', (text, expected) => {
    const read = sound(parseNameAddress(text));
    expect(read).toEqual(expected);
    expect(parseNameAddress(printNameAddress(read as never))).toEqual(read);
  });

  test.each([
    ['', 'empty'],
    ['*', 'no URI'],
    ['<>', 'empty brackets'],
    ['<sip:a@b', 'no closing bracket'],
    ['"A <sip:a@b>', 'no closing quote'],
    ['"A\\" <sip:a@b>', 'an escaped closing quote'],
    ['"A" sip:a@b', 'a display name without brackets'],
    ['A"B" <sip:a@b>', 'a quote inside a bare display name'],
    ['<sip:a b@c>', 'a blank inside the URI'],
    ['<sip:a"@c>', 'a quote inside the URI'],
    ['<a@b>', 'no scheme'],
    ['sip:a@b?x=y', 'a bare URI with headers (§20.10)'],
    ['sip:a,b@c', 'a bare URI with a comma (§20.10)'],
    ['<sip:a@b> x', 'text behind the URI'],
    ['<sip:a@b>;', 'an empty parameter'],
    ['<sip:a@b>;;tag=1', 'an empty parameter between'],
    ['<sip:a@b>;tag=', 'a parameter without its value'],
    ['<sip:a@b>;tag=1;TAG=2', 'a repeated parameter (§7.3.1)'],
    ['<sip:a@b>;=1', 'a parameter without a name'],
    ['<sip:a@b>;ta g=1', 'a blank in a parameter name'],
    ['<sip:a@b>;tag=1 2', 'a blank in a parameter value'],
    ['<sip:a@b>;tag="1', 'an unterminated value'],
    ['<sip:a@b>;tag="1"2', 'text behind a quoted value'],
    [`<sip:${'a'.repeat(MAX_URI_LENGTH)}@b>`, 'a URI beyond the limit'],
    [
      `<sip:a@b>${Array.from({ length: MAX_PARAMETERS + 1 }, (_, index) => `;p${index}`).join('')}`,
      'too many parameters',
    ],
  ])('refuses %j: %s', text => {
    expect(parseNameAddress(text)).toMatchObject(malformedWith);
  });

  test('prints a display name in quotes and a parameter in quotes where it must', () => {
    const parameters = { tag: '1', text: 'two words', flag: true } as const;
    expect(printNameAddress({ displayName: 'A "B" \\', uri: 'sip:a@b;lr', parameters })).toBe(
      '"A \\"B\\" \\\\" <sip:a@b;lr>;tag=1;text="two words";flag',
    );
  });
});

describe('Via', () => {
  test.each([
    ['SIP/2.0/UDP 192.0.2.1', { transport: 'UDP', host: '192.0.2.1', parameters: {} }],
    [
      'SIP/2.0/udp pc33.atlanta.com:5066;branch=z9hG4bK776;rport',
      { transport: 'UDP', host: 'pc33.atlanta.com', port: 5066, parameters: { branch: 'z9hG4bK776', rport: true } },
    ],
    [
      'SIP / 2.0 / TCP first.example.com : 4000 ;ttl=16 ;maddr=224.2.0.1',
      { transport: 'TCP', host: 'first.example.com', port: 4000, parameters: { ttl: '16', maddr: '224.2.0.1' } },
    ],
    [
      'SIP/2.0/TLS [2001:db8::1]:5061;received=192.0.2.9;rport=5062',
      { transport: 'TLS', host: '2001:db8::1', port: 5061, parameters: { received: '192.0.2.9', rport: '5062' } },
    ],
    [
      'SIP/2.0/UDP h;received=[[2001:db8::2]',
      { transport: 'UDP', host: 'h', parameters: { received: '[[2001:db8::2]' } },
    ],
    ['SIP/2.0/UDP h;received=[2001:db8::2]', { transport: 'UDP', host: 'h', parameters: { received: '2001:db8::2' } }],
    [
      'SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK==',
      { transport: 'WSS', host: 'df7jal23ls0d.invalid', parameters: { branch: 'z9hG4bK==' } },
    ],
  ])('reads %s', (text, expected) => {
    const via = sound(parseVia(text));
    expect(via).toEqual(expected);
    expect(parseVia(printVia(via as never))).toEqual(via);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ;branch=1',
    'SIP/2.0 192.0.2.1',
    'SIP/3.0/UDP host',
    'HTTP/2.0/UDP host',
    'SIP/2.0/UDPhost',
    'SIP/2.0/UDP host:',
    'SIP/2.0/UDP host:0',
    'SIP/2.0/UDP host:65536',
    'SIP/2.0/UDP host extra words:1',
    'SIP/2.0/UDP [2001:db8::1',
    'SIP/2.0/UDP 2001:db8::1',
    'SIP/2.0/UDP host;;',
    'SIP/2.0/UDP host;branch=1;branch=2',
    'SIP/2.0/UDP host, SIP/2.0/UDP other',
  ])('refuses %j', text => {
    expect(parseVia(text)).toMatchObject(malformedWith);
  });
});

describe('CSeq', () => {
  test.each([
    ['314159 INVITE', { sequence: 314159, method: 'INVITE' }],
    ['0009   INVITE', { sequence: 9, method: 'INVITE' }],
    ['0\tx', { sequence: 0, method: 'x' }],
    ['2147483647 BYE', { sequence: 2147483647, method: 'BYE' }],
  ])('reads %j', (text, expected) => expect(parseCSeq(text)).toEqual(expected));

  test.each([
    '',
    '1',
    'INVITE',
    '1 IN VITE',
    '1 INV@ITE',
    '-1 INVITE',
    '1.5 INVITE',
    '1e3 INVITE',
    '0x1 INVITE',
    '2147483648 INVITE',
    `${'9'.repeat(400)} INVITE`,
  ])('refuses %j', text => expect(parseCSeq(text)).toMatchObject(malformedWith));
});

test('a reason phrase is that of the code, or of its class', () => {
  expect(reasonPhrase(486)).toBe('Busy Here');
  expect(reasonPhrase(499)).toBe('Bad Request');
  expect(reasonPhrase(299)).toBe('OK');
  expect(reasonPhrase(42)).toBe('Unknown');
});
