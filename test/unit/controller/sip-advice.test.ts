import { describe, expect, test } from 'vitest';
import { adviceOn } from '../../../firmware/controller/sip-advice.ts';
import { explainTls, whyNotFor } from '../../../firmware/sip/transport/certificate.ts';

const meaning = (why: string) => adviceOn({ why: `could not send to tls 192.0.2.1:5061: ${why}` }).meaning;

test.each([401, 403, 404, 407, 408, 423, 480, 486, 488, 503, 504])(
  '%d has a meaning of its own, and advice',
  status => {
    const { meaning, advice } = adviceOn({ status, why: '' });
    expect(meaning).not.toBe(adviceOn({ status: Math.floor(status / 100) * 100 + 99, why: '' }).meaning);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  },
);

test('what is in order needs no advice', () => {
  expect(adviceOn({ status: 200, why: 'OK' }).advice).toBe('');
});

test('a challenge where there is no password is another trouble than a wrong one', () => {
  expect(adviceOn({ status: 401, why: 'Unauthorized', hasPassword: false }).meaning).toContain('has none here');
  expect(adviceOn({ status: 401, why: 'Unauthorized', hasPassword: true }).meaning).toContain('wrong');
});

describe('what the layers below say is understood', () => {
  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'an authority that this device does not know'],
    ['CERT_HAS_EXPIRED', 'no longer valid'],
    ['CERT_NOT_YET_VALID', 'not valid yet'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'does not accept our side'],
  ])('%s', (code, words) => {
    expect(meaning(explainTls(Object.assign(new Error(code), { code }), 'pbx.example')!)).toContain(words);
  });

  test('a certificate for another name', () => {
    expect(meaning(whyNotFor('pbx.example', { subjectaltname: 'DNS:other.example' })!)).toContain('another name');
    expect(meaning(whyNotFor('pbx.example', {})!)).toContain('another name');
  });

  test.each([
    ['no such host: pbx.example', 'does not exist'],
    ['pbx.example: name not resolved (EAI_AGAIN)', 'name server does not answer'],
    ['no answer from 192.0.2.1:5060', 'nothing comes back'],
    ['192.0.2.1:5061 refuses TCP connections', 'nothing listens'],
    ['no route to 192.0.2.1:5060', 'does not lead there'],
    ['no network: is the cable or the switch away?', 'no network'],
    ['sip.tls.ca: /ca.pem cannot be read (ENOENT)', 'our own files'],
  ])('%s', (why, words) => {
    expect(adviceOn({ why }).meaning).toContain(words);
  });
});
