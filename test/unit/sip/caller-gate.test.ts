/** Accounts whose callers must know a password (RFC 3261 §22.2, RFC 8760). */
import { describe, expect, test } from 'vitest';
import { answerChallenge } from '../../../firmware/sip/digest/client.ts';
import { type Line, request, stage } from './stage.ts';

const callers = [
  { username: 'desk', password: 'open sesame' },
  { username: 'guard', password: 'who is there' },
];
const account = { aor: 'sip:user@example.org', callers };
const uri = 'sip:user@192.0.2.1';
const to = '<sip:user@example.org>';

function challenged(options: Parameters<typeof stage>[0] = {}) {
  const all = stage({ account, ...options });
  let sequence = 1;
  const invite = (more = '', line: Line = {}) => {
    sequence++;
    all.say(request({ to, branch: `z9hG4bK-${sequence}`, sequence, more, ...line }));
    const response = all.peer.responses().at(-1)!;
    const branch = `z9hG4bK-${sequence}`;
    if (response.status >= 300) all.say(request({ method: 'ACK', to: response.headers.get('To')!, branch, sequence }));
    return response;
  };
  const challenges = () => invite().headers.all('WWW-Authenticate');
  const authorization = (
    username: string,
    password: string,
    {
      offered = challenges(),
      nonceCount = 1,
      body = '',
    }: { offered?: readonly string[]; nonceCount?: number; body?: string } = {},
  ) =>
    `Authorization: ${
      answerChallenge({
        challenges: offered,
        method: 'INVITE',
        uri,
        username,
        password,
        cnonce: 'c',
        nonceCount,
        body: new TextEncoder().encode(body),
      })!.header
    }`;
  return { ...all, invite, challenges, authorization };
}

describe('a call to an account with callers', () => {
  test('is challenged with SHA-256 and with MD5, each in a field of its own, and rings nowhere', () => {
    const { phone, challenges } = challenged();
    const offered = challenges();
    expect(offered.map(value => /algorithm=([\w-]+)/.exec(value)?.[1])).toEqual(['SHA-256', 'MD5']);
    for (const value of offered) expect(value).toMatch(/^Digest realm="example\.org", nonce="\w+".* qop="auth"/);
    expect(phone.heard).toEqual([]);
    expect(phone.userAgent.counters.rejectedRequests).toBe(1);
  });

  test.each([0, 1])('rings for who answers challenge %i right, and names whom the password proves', index => {
    const { phone, invite, authorization, challenges } = challenged();
    const offered = [challenges()[index]!];
    expect(invite(authorization('guard', 'who is there', { offered })).status).toBe(180);
    expect(phone.invite!.authenticated).toEqual({ uri: 'sip:guard@example.org' });
  });

  test.each([
    ['desk', 'who is there'],
    ['guard', ''],
    ['stranger', ''],
    // The account's own password opens nothing.
    ['user', 'own'],
  ])('is challenged again for %j with %j', (username, password) => {
    const { phone, invite, authorization } = challenged({ account: { ...account, password: 'own' } });
    const response = invite(authorization(username, password));
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).not.toMatch(/stale/);
    expect(phone.heard).toEqual([]);
  });

  test('is not let in by the same credentials twice', () => {
    const { phone, invite, authorization } = challenged();
    const credentials = authorization('desk', 'open sesame');
    expect(invite(credentials).status).toBe(180);
    phone.call!.refuse(486);
    const replayed = invite(credentials, { callId: 'call-2' });
    expect(replayed.status).toBe(401);
    expect(replayed.headers.get('WWW-Authenticate')).toMatch(/stale=true/);
  });

  test('is let in by the next count of the same nonce, until that is a minute old', () => {
    const { clock, phone, invite, authorization, challenges } = challenged();
    const offered = challenges();
    invite(authorization('desk', 'open sesame', { offered }));
    phone.call!.refuse(486);
    const next = authorization('desk', 'open sesame', { offered, nonceCount: 2 });
    expect(invite(next, { callId: 'call-2' }).status).toBe(180);
    phone.call!.refuse(486);
    clock.advance(61_000);
    const late = authorization('desk', 'open sesame', { offered, nonceCount: 3 });
    expect(invite(late, { callId: 'call-3' }).headers.get('WWW-Authenticate')).toMatch(/stale=true/);
  });

  test('may prove its body as well (auth-int)', () => {
    const { invite, authorization, challenges } = challenged();
    const offered = challenges().map(value => value.replace('qop="auth"', 'qop="auth-int"'));
    const good = authorization('desk', 'open sesame', { offered, body: 'offer' });
    expect(good).toMatch(/qop=auth-int/);
    expect(invite(good, { body: 'other' }).status).toBe(401);
    expect(invite(good, { body: 'offer' }).status).toBe(180);
  });

  test.each(['Digest', 'Digest realm="example.org"', 'Digest realm="example.org", nonce="x", nonce="x"'])(
    'with %j is answered 400',
    header => {
      expect(challenged().invite(`Authorization: ${header}`).status).toBe(400);
    },
  );

  test.each(['Basic dXNlcjpwYXNz', 'Digest realm="elsewhere", nonce="x"', ''])('with %j is challenged', header => {
    expect(challenged().invite(`Authorization: ${header}`).status).toBe(401);
  });

  test('of the own server rings at once, unless that is to be challenged too', () => {
    const trusts = ['192.0.2.2'];
    const own = challenged({ trusts });
    expect(own.invite().status).toBe(180);
    expect(own.phone.invite!.authenticated).toBeUndefined();
    expect(challenged({ trusts, account: { ...account, challengeServer: true } }).invite().status).toBe(401);
  });

  test('that names nobody of ours is challenged too: it could walk round otherwise', () => {
    const { invite } = challenged();
    expect(invite('', { uri: 'sip:other@192.0.2.1', to: '<sip:other@192.0.2.1>' }).status).toBe(401);
  });

  test('that wants the place of another call is challenged before it is looked for', () => {
    const { invite } = challenged();
    expect(invite('Replaces: x;from-tag=a;to-tag=b').status).toBe(401);
  });
});

test('a flood of calls without a password leaves nothing behind but its transactions', () => {
  const { clock, invite, phone } = challenged();
  for (let index = 0; index < 500; index++) invite('', { callId: `flood-${index}` });
  clock.advance(40_000);
  expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('an account without callers challenges nobody', () => {
  expect(challenged({ account: { aor: 'sip:user@example.org' } }).invite().status).toBe(180);
});

test('a caller may send a text with its password', () => {
  const { peer, say, phone } = stage({ account, trusts: [] });
  const message = (sequence: number, more = '') =>
    say(
      request({ method: 'MESSAGE', to, sequence, branch: `z9hG4bK-${sequence}`, more, body: 'hello' }).replace(
        'application/sdp',
        'text/plain',
      ),
    );
  message(1);
  const challenges = peer.responses(401)[0]!.headers.all('WWW-Authenticate');
  const body = new TextEncoder().encode('hello');
  const answer = answerChallenge({
    challenges,
    method: 'MESSAGE',
    uri,
    username: 'desk',
    password: 'open sesame',
    cnonce: 'c',
    nonceCount: 1,
    body,
  });
  message(2, `Authorization: ${answer!.header}`);
  expect(phone.heard).toEqual(['message hello']);
});
