/** Whom a certificate is for: RFC 5922 §7. */
import { describe, expect, test } from 'vitest';
import { namesOf, whyNotFor } from '../../../../firmware/sip/transport/certificate.ts';

const san = (subjectaltname: string, CN?: string) => ({ subjectaltname, subject: { CN } });

describe('a certificate is for', () => {
  test.each([
    ['its DNS names', san('DNS:pbx.example.org, DNS:Other.Example'), 'other.example'],
    ['the domain of a SIP URI', san('URI:sip:example.org'), 'example.org'],
    ['its addresses', san('IP Address:192.0.2.1'), '192.0.2.1'],
    ['IPv6 addresses, however they are spelt', san('IP Address:2001:DB8:0:0:0:0:0:1'), '2001:db8::1'],
    ['its CN, where it has nothing newer', { subject: { CN: 'PBX.example.org' } }, 'pbx.example.org'],
    ['a name with the dot of the root', san('DNS:pbx.example.org'), 'pbx.example.org.'],
    ['a name that node quotes', san('DNS:"a\\u002cb", DNS:c.example'), 'c.example'],
  ])('%s', (_, certificate, domain) => {
    expect(whyNotFor(domain, certificate)).toBeUndefined();
  });
});

describe('a certificate is not for', () => {
  test.each([
    ['another name', san('DNS:a.example'), 'the certificate of pbx.example is for a.example'],
    [
      'what a wildcard covers',
      san('DNS:*.example'),
      'the certificate of pbx.example is for *.example; a wildcard does not count (RFC 5922 §7.2)',
    ],
    [
      'its CN, where it has a subjectAltName',
      san('DNS:a.example', 'pbx.example'),
      'the certificate of pbx.example is for a.example',
    ],
    ['a user', san('URI:sip:pbx@pbx.example'), 'the certificate of pbx.example names no SIP domain'],
    ['another scheme', san('URI:https://pbx.example'), 'the certificate of pbx.example names no SIP domain'],
    ['a longer name', san('DNS:pbx.example.evil'), 'the certificate of pbx.example is for pbx.example.evil'],
    [
      'a name with a NUL',
      san('DNS:"pbx.example\\u0000.evil"'),
      'the certificate of pbx.example is for pbx.example\0.evil',
    ],
    [
      'a name inside a quoted one',
      san('DNS:"x, DNS:pbx.example"'),
      'the certificate of pbx.example is for x, dns:pbx.example',
    ],
    ['anybody', {}, 'the certificate of pbx.example names no SIP domain'],
  ])('%s', (_, certificate, why) => {
    expect(whyNotFor('pbx.example', certificate)).toBe(why);
  });

  test('and text without sense names nobody', () => {
    for (const text of ['', ',', ':', 'DNS', 'DNS:"', 'DNS:"\\"', ', , DNS:'])
      expect(namesOf({ subjectaltname: text }).filter(name => name !== '')).toEqual([]);
  });
});
