import { expect, test } from 'vitest';
import { maskMessage } from '../../../../firmware/cli/trace/mask.ts';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';

const masked = (text: string) => Buffer.from(maskMessage(Buffer.from(text, 'latin1'))).toString('latin1');

const message = (fields: string[], body = '') =>
  [
    'INVITE sip:desk:hunter1@192.0.2.1 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1',
    'From: <sip:front:hunter2@192.0.2.1>;tag=1',
    'To: <sip:desk@192.0.2.1>',
    'Call-ID: a',
    'CSeq: 1 INVITE',
    ...fields,
    '',
    body,
  ].join('\r\n');

test('digest answers and nonces go, what tells no secret stays', () => {
  const text = masked(
    message([
      'Authorization: Digest username="front", realm="pbx", nonce="n0nce",\r\n uri="sip:192.0.2.1", response="c0ffee", algorithm=MD5, cnonce="cn", qop=auth, nc=00000001',
      'Proxy-Authorization: Basic aHVudGVyMg==',
      'Authentication-Info: nextnonce="n0nce2", rspauth="beef", qop=auth',
    ]),
  );
  expect(text).toContain(
    'Authorization: Digest username="front", realm="pbx", nonce="***",\r\n uri="sip:192.0.2.1", response="***", algorithm=MD5, cnonce="***", qop=auth, nc=00000001\r\n',
  );
  expect(text).toContain('Proxy-Authorization: Basic ***\r\n');
  expect(text).toContain('Authentication-Info: nextnonce="***", rspauth="***", qop=auth\r\n');
  for (const secret of ['n0nce', 'c0ffee', 'aHVudGVyMg', 'beef', 'hunter']) expect(text).not.toContain(secret);
});

test('a challenge keeps its realm', () => {
  expect(
    masked('SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="a, b", nonce="x\\"y", stale=true\r\n\r\n'),
  ).toBe('SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="a, b", nonce="***", stale=true\r\n\r\n');
});

test('keys of encrypted sound go, and the length is right again', () => {
  const sdp =
    'v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\na=ice-pwd:secret\r\n';
  const text = masked(message(['Content-Type: application/sdp', `Content-Length: ${sdp.length}`], sdp));
  expect(text).toContain('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4\r\na=ice-pwd:***\r\n');
  const read = parseMessage(Buffer.from(text, 'latin1'));
  expect(isMalformed(read)).toBe(false);
  expect(read).toMatchObject({ body: { length: text.length - text.indexOf('v=0') } });
});

test('keys told by INFO go: they open doors', () => {
  const relay = masked(message(['Content-Type: application/dtmf-relay'], 'Signal=5\r\nDuration=160\r\n'));
  expect(relay).toContain('\r\n\r\nSignal=***\r\nDuration=160\r\n');
  expect(masked(message(['Content-Type: application/dtmf', 'Content-Length: 1'], '5'))).toMatch(/: 1\r\n\r\n\*$/);
});

test('what has no secrets comes back byte for byte, whatever it is', () => {
  for (const text of [
    '',
    '\r\n\r\n',
    '\x00\xff\x80',
    'GET / HTTP/1.1\r\n\r\n',
    message(['Subject: caf\xe9'], 'body\xff'),
  ]) {
    const plain = text.replaceAll(':hunter1', '').replaceAll(':hunter2', '');
    expect(masked(plain)).toBe(plain);
  }
});

test('a hostile message costs no more than its length', () => {
  const long = `SIP/2.0 200 OK\r\nAuthorization: Digest ${'a="'.repeat(20_000)}\r\n${'sip:a:'.repeat(5_000)}\r\n\r\n${'inline:'.repeat(5_000)}`;
  expect(masked(long).length).toBeGreaterThan(0);
});
