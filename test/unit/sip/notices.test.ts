/** NOTIFY check-sync and MESSAGE outside any call: what is taken, and from whom (RFC 6665, RFC 3428). */
import { describe, expect, test } from 'vitest';
import { answerChallenge } from '../../../firmware/sip/digest/client.ts';
import { type Line, request, stage } from './stage.ts';

const trusted = { trusts: ['192.0.2.2'] };
const password = { account: { password: 'secret' }, trusts: [] };
const sync = (line: Line = {}) => request({ method: 'NOTIFY', more: 'Event: check-sync', ...line });
const text = (line: Line = {}, type = 'text/plain') =>
  request({ method: 'MESSAGE', body: 'hello', ...line }).replace('application/sdp', type);

describe('NOTIFY', () => {
  test.each([
    ['Event: check-sync', false],
    ['o: Check-Sync;reboot=false', false],
    ['Event: check-sync;Reboot=TRUE', true],
    ['Event: check-sync;;', false],
    ['Event: resync', false],
    ['Event: check-sync\nSubscription-State: terminated', false],
  ])('with %j is taken from the server of the account', (more, reboot) => {
    const { peer, phone, say } = stage(trusted);
    say(sync({ more }));
    expect(peer.statuses).toEqual([200]);
    expect(phone.heard).toEqual([`check-sync sip:peer@192.0.2.2 main ${reboot}`]);
  });

  test.each(['Event: reboot_now', 'Event: dialog', 'Event: ', 'Event: check-sync-x', ''])(
    'with %j is answered 489 with the events that we know (§7.2.2)',
    more => {
      const { peer, phone, say } = stage(trusted);
      say(sync({ more }));
      expect(peer.responses(489)[0]!.headers.all('Allow-Events')).toContain('check-sync');
      expect(phone.heard).toEqual([]);
    },
  );

  test('in a dialog that does not exist is answered 481', () => {
    const { peer, phone, say } = stage(trusted);
    say(sync({ to: '<sip:user@192.0.2.1>;tag=nowhere' }));
    expect(peer.statuses).toEqual([481]);
    expect(phone.heard).toEqual([]);
  });

  test('that comes twice is told once', () => {
    const { phone, say } = stage(trusted);
    say(sync());
    say(sync());
    expect(phone.heard.length).toBe(1);
  });
});

describe('a stranger', () => {
  test.each([sync, text])('is refused where there is no password', what => {
    const { peer, phone, say } = stage({ trusts: [] });
    say(what());
    expect(peer.statuses).toEqual([403]);
    expect(phone.heard).toEqual([]);
  });

  test('is refused where no account is meant', () => {
    const { peer, say } = stage(password);
    say(sync({ uri: 'sip:nobody@192.0.2.1', to: '<sip:nobody@192.0.2.1>' }));
    expect(peer.statuses).toEqual([403]);
  });

  const answered = (secret: string, username = 'user') => {
    const all = stage(password);
    all.say(sync());
    const challenges = all.peer.responses(401)[0]!.headers.all('WWW-Authenticate');
    const uri = 'sip:user@192.0.2.1';
    const body = new Uint8Array();
    const answer = { challenges, method: 'NOTIFY', uri, username, password: secret, cnonce: 'c', nonceCount: 1, body };
    const authorization = `Authorization: ${answerChallenge(answer)!.header}`;
    const again = (sequence: number) =>
      all.say(sync({ sequence, branch: `z9hG4bK-${sequence}`, more: `Event: check-sync\n${authorization}` }));
    again(2);
    return { ...all, challenges, again };
  };

  test('who knows the password of the account is believed', () => {
    const { challenges, peer, phone } = answered('secret');
    expect(challenges.map(value => /algorithm=([^,]+)/.exec(value)![1])).toEqual(['SHA-256', 'MD5']);
    expect(peer.statuses).toEqual([401, 200]);
    expect(phone.heard.length).toBe(1);
  });

  test.each([
    ['wrong', 'user'],
    ['secret', 'other'],
  ])('who answers %s is asked again', (secret, username) => {
    const { peer, phone } = answered(secret, username);
    expect(peer.statuses).toEqual([401, 401]);
    expect(phone.heard).toEqual([]);
  });

  test('who says what somebody else has said is asked again: a nonce counts up', () => {
    const { again, peer, phone } = answered('secret');
    again(3);
    expect(peer.statuses).toEqual([401, 200, 401]);
    expect(peer.responses(401)[1]!.headers.get('WWW-Authenticate')).toContain('stale');
    expect(phone.heard.length).toBe(1);
  });

  test('who writes nonsense is told so', () => {
    const { peer, say } = stage(password);
    say(sync({ more: 'Event: check-sync\nAuthorization: Digest realm="192.0.2.1"' }));
    expect(peer.statuses).toEqual([400]);
  });
});

describe('MESSAGE', () => {
  test('of the server is told', () => {
    const { peer, phone, say } = stage(trusted);
    say(text({}, 'Text/Plain;charset=utf-8'));
    expect(peer.statuses).toEqual([200]);
    expect(phone.heard).toEqual(['message hello']);
  });

  test('has no control characters left, and no more than 1000 characters', () => {
    const { phone, say } = stage(trusted);
    say(text({ body: 'a\u0007\u001b[31mb\u007f' }));
    say(text({ callId: 'other', branch: 'z9hG4bK-other', body: 'x'.repeat(3_000) }));
    expect(phone.heard).toEqual(['message a[31mb', `message ${'x'.repeat(1_000)}`]);
  });

  test('of another type is answered 415 with what we can read', () => {
    const { peer, say } = stage(trusted);
    say(text({}, 'text/html'));
    expect(peer.responses(415)[0]!.headers.all('Accept')).toEqual(['text/plain']);
  });
});

test('where nobody listens NOTIFY is of no subscription, and MESSAGE a method that we do not have', () => {
  const { peer, say } = stage();
  say(sync());
  say(text());
  expect(peer.statuses).toEqual([481, 405]);
  expect(peer.responses(405)[0]!.headers.all('Allow')).not.toContain('MESSAGE');
});
