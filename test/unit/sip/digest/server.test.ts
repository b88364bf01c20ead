/** Asking for and checking credentials: who gets in, who must try again, and what cannot be replayed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { answerChallenge } from '../../../../firmware/sip/digest/client.ts';
import { type Algorithm, ha1Of } from '../../../../firmware/sip/digest/response.ts';
import {
  DigestServer,
  type DigestServerSettings,
  issueChallenge,
  MAX_NONCES,
} from '../../../../firmware/sip/digest/server.ts';
import { seeded } from '../../../sim/seeded.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const client = {
  method: 'REGISTER',
  uri: 'sip:example.org',
  username: 'door',
  password: 'secret',
  cnonce: 'c',
  nonceCount: 1,
};

const settings: DigestServerSettings = {
  realm: 'desk',
  algorithms: ['SHA-256', 'MD5'],
  nonceLifetimeMs: 60_000,
  secretOf: username => (username === 'door' ? { password: 'secret' } : undefined),
};

let clock: VirtualClock;
let server: DigestServer;

beforeEach(() => {
  clock = new VirtualClock();
  server = new DigestServer(settings, clock, seeded(1));
});

const header = (challenges: readonly string[], changes: Partial<Parameters<typeof answerChallenge>[0]> = {}) =>
  answerChallenge({ ...client, ...changes, challenges })!.header;

const verdict = (...headers: string[]) => server.verify(headers, 'REGISTER').is;

test('a challenge offers every algorithm in order of preference, with one nonce (RFC 8760 §2.3)', () => {
  const [first, second, ...others] = server.challenges();
  expect(others).toEqual([]);
  expect(first).toMatch(/^Digest realm="desk", nonce="([0-9a-f]+)", algorithm=SHA-256, qop="auth"$/);
  expect(second).toBe(first!.replace('SHA-256', 'MD5'));
  expect(server.challenges(true)[0]).toMatch(/, stale=true$/);
});

test('issueChallenge writes what it is given', () => {
  expect(issueChallenge({ realm: 'a "b"', nonce: 'n', algorithm: 'MD5', opaque: 'o', stale: true })).toBe(
    'Digest realm="a \\"b\\"", nonce="n", algorithm=MD5, qop="auth", opaque="o", stale=true',
  );
});

test('no two nonces are alike', () => {
  expect(new Set(Array.from({ length: 100 }, () => server.challenges()[0])).size).toBe(100);
});

describe('the right password', () => {
  test.each([0, 1])('is ok with the offered algorithm %i', index => {
    expect(server.verify([header([server.challenges()[index]!])], 'REGISTER')).toEqual({ is: 'ok', username: 'door' });
  });

  test('is ok for a server that keeps only HA1', () => {
    const secretOf = (username: string, algorithm: Algorithm) => ({
      ha1: ha1Of(algorithm, username, 'desk', 'secret'),
    });
    server = new DigestServer({ ...settings, secretOf }, clock, seeded(1));
    expect(verdict(header(server.challenges()))).toBe('ok');
  });

  test('is ok among credentials for others', () => {
    const foreign = header(['Digest realm="elsewhere", nonce="n"']);
    expect(verdict('Basic ZG9vcjpzZWNyZXQ=', foreign, header(server.challenges()))).toBe('ok');
  });

  test('is ok with -sess, with auth-int and without qop', () => {
    const [, md5] = server.challenges();
    expect(verdict(header([md5!.replace('=MD5', '=MD5-sess')]))).toBe('ok');
    const body = Buffer.from('body');
    const authInt = header([server.challenges()[0]!.replace('"auth"', '"auth-int"')], { body });
    expect(server.verify([authInt], 'REGISTER', Buffer.from('other')).is).toBe('wrong');
    expect(server.verify([authInt], 'REGISTER', body).is).toBe('ok');
    expect(verdict(header([server.challenges()[1]!.replace(', qop="auth"', '')]))).toBe('ok');
  });

  test('is ok again with a higher nonce count, and stale with the same or a lower one', () => {
    const challenges = server.challenges();
    expect(verdict(header(challenges, { nonceCount: 1 }))).toBe('ok');
    expect(verdict(header(challenges, { nonceCount: 1 }))).toBe('stale');
    expect(verdict(header(challenges, { nonceCount: 5 }))).toBe('ok');
    expect(verdict(header(challenges, { nonceCount: 4 }))).toBe('stale');
    expect(verdict(header(challenges, { nonceCount: 6 }))).toBe('ok');
  });

  test('with nonce count 0 is stale', () => {
    expect(verdict(header(server.challenges(), { nonceCount: 0 }))).toBe('stale');
  });

  test('without qop is good once', () => {
    const credentials = header([server.challenges()[1]!.replace(', qop="auth"', '')]);
    expect([verdict(credentials), verdict(credentials)]).toEqual(['ok', 'stale']);
  });

  test('is stale after the life of the nonce', () => {
    const challenges = server.challenges();
    clock.advance(60_000);
    expect(verdict(header(challenges))).toBe('ok');
    clock.advance(1);
    expect(verdict(header(challenges, { nonceCount: 2 }))).toBe('stale');
    expect(server.noncesInUse).toBe(0);
  });

  test('is stale with a nonce of another server, of the time before a restart, or made up', () => {
    const restarted = new DigestServer(settings, clock, seeded(2));
    expect(verdict(header(restarted.challenges()))).toBe('stale');
    for (const nonce of [
      '',
      'n',
      'f'.repeat(56),
      server
        .challenges()[0]!
        .match(/nonce="([^"]+)/)![1]!
        .replace(/^0/, '1'),
    ]) {
      expect(verdict(header([`Digest realm="desk", nonce="${nonce}", qop="auth"`]))).toBe('stale');
    }
  });
});

describe('turned away', () => {
  test.each([
    ['the wrong password', { password: 'Secret' }],
    ['an unknown user', { username: 'window' }],
    ['another method', { method: 'INVITE' }],
  ])('%s', (_, changes) => {
    expect(verdict(header(server.challenges(), changes))).toBe('wrong');
  });

  test('an unknown user with an empty password', () => {
    expect(verdict(header(server.challenges(), { username: 'window', password: '' }))).toBe('wrong');
  });

  test('an algorithm that was not offered', () => {
    server = new DigestServer({ ...settings, algorithms: ['SHA-256'] }, clock, seeded(1));
    const downgraded = server.challenges()[0]!.replace('algorithm=SHA-256', 'algorithm=MD5');
    expect(verdict(header([downgraded]))).toBe('wrong');
  });

  test('a digest-uri changed on the way', () => {
    expect(verdict(header(server.challenges()).replace('uri="sip:example.org"', 'uri="sip:example.com"'))).toBe(
      'wrong',
    );
  });

  test('a nonce count or cnonce changed on the way', () => {
    const credentials = header(server.challenges());
    expect(verdict(credentials.replace('nc=00000001', 'nc=00000002'))).toBe('wrong');
    expect(verdict(credentials.replace('cnonce="c"', 'cnonce="d"'))).toBe('wrong');
  });

  test('a response cut short', () => {
    expect(verdict(header(server.challenges()).replace(/response="../, 'response="'))).toBe('wrong');
  });

  test('a wrong guess does not use the nonce up', () => {
    const challenges = server.challenges();
    expect(verdict(header(challenges, { password: 'guess', nonceCount: 9 }))).toBe('wrong');
    expect(verdict(header(challenges))).toBe('ok');
  });

  test('no credentials for us', () => {
    expect(verdict()).toBe('foreign');
    expect(verdict('NoOneKnowsThisScheme opaque-data=here')).toBe('foreign');
    expect(verdict(header(['Digest realm="elsewhere", nonce="n"']))).toBe('foreign');
  });

  test.each([
    ['username', / username="door",/],
    ['realm', / realm="desk",/],
    ['nonce', / nonce="[^"]*",/],
    ['uri', / uri="[^"]*",/],
    ['response', / response="[^"]*",/],
    ['nc', /, nc=00000001/],
    ['cnonce', / cnonce="c",/],
  ])('credentials without %s', (_, pattern) => {
    const credentials = header(server.challenges());
    const cut = credentials.replace(pattern, '');
    expect(cut).not.toBe(credentials);
    expect(verdict(cut)).toBe('malformed');
  });

  test.each([
    ['nc=00000001', 'nc=1'],
    ['nc=00000001', 'nc=0000000g'],
    ['qop=auth', 'qop=other'],
    ['realm="desk"', 'realm="desk'],
  ])('credentials with %s written %s', (from, to) => {
    expect(verdict(header(server.challenges()).replace(from, to))).toBe('malformed');
  });
});

test('the table of nonces is bounded, and a nonce forgotten from it cannot be replayed', () => {
  const first = server.challenges();
  expect(verdict(header(first))).toBe('ok');
  clock.advance(1);
  for (let count = 0; count < MAX_NONCES; count++) expect(verdict(header([server.challenges()[1]!]))).toBe('ok');
  expect(server.noncesInUse).toBe(MAX_NONCES);
  expect(verdict(header(first))).toBe('stale');
  expect(verdict(header(first, { nonceCount: 2 }))).toBe('stale');
  clock.advance(1);
  expect(verdict(header(server.challenges()))).toBe('ok');
});

test('challenges alone fill no table', () => {
  for (let count = 0; count < 100; count++) server.challenges();
  expect(server.noncesInUse).toBe(0);
});
