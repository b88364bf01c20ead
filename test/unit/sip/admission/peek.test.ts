/** What the first bytes of a datagram tell. */
import { expect, test } from 'vitest';
import { kindOf } from '../../../../firmware/sip/admission/peek.ts';
import { networkOf } from '../../../../firmware/sip/admission/sources.ts';

test.each([
  ['INVITE sip:a@b SIP/2.0\r\n', 'INVITE'],
  ['\r\n\r\nINVITE sip:a@b SIP/2.0\r\n', 'INVITE'],
  ['ACK sip:a@b SIP/2.0\r\n', 'ACK'],
  ['OPTIONS sip:a@b SIP/2.0\r\n', 'request'],
  ["!interesting-Method0123456789_*+`.%indeed'~ sip:a@b SIP/2.0\r\n", 'request'],
  ['INVITED sip:a@b SIP/2.0\r\n', 'request'],
  ['SIP/2.0 200 OK\r\n', 'response'],
  ['\r\n\r\n', 'keep-alive'],
  ['\0', 'keep-alive'],
  ['', 'keep-alive'],
  [' INVITE sip:a@b SIP/2.0', 'garbage'],
  ['INVITE', 'garbage'],
  ['INVITE\r\n', 'garbage'],
  ['\x16\x03\x01\x02\x00', 'garbage'],
  [`${'A'.repeat(64)} sip:a@b SIP/2.0`, 'garbage'],
  [`${'\r\n'.repeat(9)}INVITE sip:a@b SIP/2.0`, 'garbage'],
])('%j is %s', (text, kind) => {
  expect(kindOf(Buffer.from(text, 'latin1'))).toBe(kind);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:1::5', '2001:db8:0:1'],
  ['2001:DB8:0000:0001:aaaa:bbbb:cccc:dddd', '2001:db8:0:1'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
])('%s counts as %s', (host, network) => {
  expect(networkOf(host)).toBe(network);
});
