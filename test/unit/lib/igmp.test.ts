/** IGMP: queries are told from reports and from what is none. */
import { expect, test } from 'vitest';
import { querierOf } from '../../../firmware/lib/igmp.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
/** IPv4 with Router Alert (RFC 2113), from 192.0.2.1 to 224.0.0.1. */
const HEADER = '46c00020 00000000 01020000 c0000201 e0000001 94040000';

test.each([
  ['IGMPv2', `${HEADER} 1164ee9b 00000000`],
  ['IGMPv3', `${HEADER} 1164ee9b 00000000 027d0000`],
  ['for one group', `${HEADER} 110a0000 ef010101`],
])('a query is one: %s', (_what, hex) => {
  expect(querierOf(bytes(hex))).toBe('192.0.2.1');
});

test.each([
  ['a report', `${HEADER} 16000000 ef010101`],
  ['a report of version 3', `${HEADER} 22000000 00000001 04000000 ef010101`],
  ['UDP', `45000020 00000000 01110000 c0000201 e0000001 1164ee9b`],
  ['a header that is longer than the packet', `4f00001c 00000000 01020000 c0000201 e0000001 1164ee9b`],
  ['a header of no length', `4000001c 00000000 01020000 c0000201 e0000001 1164ee9b`],
  ['IPv6', `60000000 00000000 01020000 c0000201 e0000001 1164ee9b`],
  ['nothing', ''],
])('this is none: %s', (_what, hex) => {
  expect(querierOf(bytes(hex))).toBeUndefined();
});
