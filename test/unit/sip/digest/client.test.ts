/** Answering a challenge: the published vectors, and which of several challenges is answered. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answerChallenge } from '../../../../firmware/sip/digest/client.ts';
import { type AuthParameters, parseDigest } from '../../../../firmware/sip/digest/parameters.ts';

const input = {
  method: 'REGISTER',
  uri: 'sip:example.org',
  username: 'door',
  password: 'secret',
  cnonce: '0a4f113b',
  nonceCount: 1,
};

const answer = (challenges: readonly string[], changes: Partial<Parameters<typeof answerChallenge>[0]> = {}) =>
  answerChallenge({ ...input, ...changes, challenges });

const credentials = (...args: Parameters<typeof answer>) => {
  const header = answer(...args)?.header;
  return header === undefined ? undefined : ({ ...parseDigest(header) } as AuthParameters);
};

describe('published vectors', () => {
  const common = { method: 'GET', uri: '/dir/index.html', username: 'Mufasa' };

  test('RFC 2617 §3.5', () => {
    const challenge =
      'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
    expect(credentials([challenge], { ...common, password: 'Circle Of Life' })).toEqual({
      username: 'Mufasa',
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a4f113b',
      response: '6629fae49393a05397450978507c4ef1',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
    });
  });

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('RFC 7616 §3.9.1 %s', (algorithm, response) => {
    const challenge = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    expect(credentials([challenge], { ...common, password: 'Circle of Life', cnonce })).toMatchObject({
      algorithm,
      response,
    });
  });
});

/** RFC 7616 §3.4 written down once more, by hand, on another interface of node:crypto. */
const H = (name: string, text: string) => createHash(name).update(text).digest('hex');

test('SHA-512-256', () => {
  const ha1 = H('sha512-256', 'door:pbx:secret');
  const ha2 = H('sha512-256', 'REGISTER:sip:example.org');
  expect(credentials(['Digest realm="pbx", nonce="n", algorithm=SHA-512-256, qop="auth"'])?.response).toBe(
    H('sha512-256', `${ha1}:n:00000001:0a4f113b:auth:${ha2}`),
  );
});

test('a -sess algorithm ties the key to the nonce', () => {
  const key = H('md5', `${H('md5', 'door:pbx:secret')}:n:0a4f113b`);
  expect(credentials(['Digest realm="pbx", nonce="n", algorithm=MD5-sess, qop="auth"'])).toMatchObject({
    algorithm: 'MD5-sess',
    response: H('md5', `${key}:n:00000001:0a4f113b:auth:${H('md5', 'REGISTER:sip:example.org')}`),
  });
});

test('without qop the way of RFC 2069: no nc, no cnonce', () => {
  const read = credentials(['Digest realm="pbx", nonce="n"']);
  expect(read).toEqual({
    username: 'door',
    realm: 'pbx',
    nonce: 'n',
    uri: 'sip:example.org',
    response: H('md5', `${H('md5', 'door:pbx:secret')}:n:${H('md5', 'REGISTER:sip:example.org')}`),
  });
});

test('auth-int hashes the body, and is chosen only where auth is not offered', () => {
  const body = Buffer.from('v=0');
  const ha2 = H('md5', `REGISTER:sip:example.org:${H('md5', 'v=0')}`);
  expect(credentials(['Digest realm="pbx", nonce="n", qop="auth-int"'], { body })).toMatchObject({
    qop: 'auth-int',
    response: H('md5', `${H('md5', 'door:pbx:secret')}:n:00000001:0a4f113b:auth-int:${ha2}`),
  });
  expect(credentials(['Digest realm="pbx", nonce="n", qop="auth-int,auth"'], { body })).toMatchObject({ qop: 'auth' });
});

test('the nonce count is eight hexadecimal digits', () => {
  expect(credentials(['Digest realm="p", nonce="n", qop="auth"'], { nonceCount: 0x1f })).toMatchObject({
    nc: '0000001f',
  });
});

test('the strongest algorithm is answered, of equals the first (RFC 8760 §2.4)', () => {
  const offer = (algorithm: string, nonce: string) =>
    `Digest realm="p", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`;
  const chosen = (...algorithms: string[]) =>
    answer(algorithms.map((algorithm, index) => offer(algorithm, `${index}`)))?.nonce;
  expect(chosen('MD5', 'SHA-256')).toBe('1');
  expect(chosen('SHA-256', 'MD5', 'SHA-512-256')).toBe('2');
  expect(chosen('SHA-512-256', 'SHA-256')).toBe('0');
  expect(chosen('md5', 'MD5')).toBe('0');
  expect(chosen('SHA3-256', 'MD5')).toBe('1');
});

test('tells the realm, nonce, algorithm and whether the last nonce was only stale', () => {
  expect(answer(['Digest realm="p", nonce="n", stale=TRUE'])).toMatchObject({
    realm: 'p',
    nonce: 'n',
    algorithm: 'MD5',
    stale: true,
  });
  expect(answer(['Digest realm="p", nonce="n", stale=false'])).toMatchObject({ stale: false });
  expect(answer(['Digest realm="p", nonce="n"'])).toMatchObject({ stale: false });
});

test('quotes and backslashes survive in what is echoed and in what is ours', () => {
  const read = credentials(['Digest realm="a \\"b\\" \\\\", nonce="n"'], { username: 'do"or' });
  expect(read).toMatchObject({ realm: 'a "b" \\', username: 'do"or' });
});

test('writes algorithm, qop and nc without quotes, all else with', () => {
  expect(answer(['Digest realm="p",nonce="n",algorithm=MD5,qop="auth",opaque=""'])?.header).toMatch(
    /^Digest username="door", realm="p", nonce="n", uri="sip:example.org", response="[0-9a-f]{32}", algorithm=MD5, cnonce="0a4f113b", opaque="", qop=auth, nc=00000001$/,
  );
});

test.each([
  ['no challenge at all', []],
  ['another scheme', ['Basic realm="p"']],
  ['a scheme that only begins like Digest', ['DigestX realm="p", nonce="n"']],
  ['no nonce', ['Digest realm="p"']],
  ['no realm', ['Digest nonce="n"']],
  ['nothing but the scheme', ['Digest']],
  ['an unknown algorithm', ['Digest realm="p", nonce="n", algorithm=AKAv1-MD5']],
  ['an unknown qop', ['Digest realm="p", nonce="n", qop="other"']],
  ['an empty qop', ['Digest realm="p", nonce="n", qop=""']],
  ['an unterminated string', ['Digest realm="p, nonce=n']],
  ['a name without a value', ['Digest realm="p", nonce']],
  ['an empty value', ['Digest realm="p", nonce=']],
  ['a value without a name', ['Digest ="p", nonce="n"']],
  ['a parameter twice', ['Digest realm="p", nonce="n", nonce="m"']],
  ['text behind a quoted string', ['Digest realm="p"x, nonce="n"']],
  [
    'more parameters than anybody needs',
    [`Digest realm="p", nonce="n"${Array.from({ length: 40 }, (_, i) => `, x${i}=1`).join('')}`],
  ],
])('gives up on %s', (_, challenges) => {
  expect(answer(challenges)).toBeUndefined();
});

test('passes over a faulty challenge to a sound one', () => {
  expect(answer(['Digest realm="p', 'Negotiate', 'Digest realm="q", nonce="n"'])?.realm).toBe('q');
});

test('reads sloppy but clear challenges', () => {
  expect(answer(['digest  REALM = "p" ,, Nonce=unquoted/nonce== ,'])).toMatchObject({
    realm: 'p',
    nonce: 'unquoted/nonce==',
  });
});

test('each realm has the login that is meant for it, and a realm without one is not answered', () => {
  const logins = [{ realm: 'provider', username: 'trunk', password: 'other' }];
  const proxy = credentials(['Digest realm="provider", nonce="n"'], { logins });
  expect(proxy).toMatchObject({ username: 'trunk', realm: 'provider' });
  expect(credentials(['Digest realm="pbx", nonce="n"'], { logins })).toMatchObject({ username: 'door', realm: 'pbx' });
  const challenges = ['Digest realm="pbx", nonce="n"', 'Digest realm="provider", nonce="m"'];
  expect(credentials(challenges, { logins, password: undefined })).toMatchObject({ realm: 'provider' });
  expect(answer(challenges.slice(0, 1), { logins, password: undefined })).toBeUndefined();
});
