/** Calls that we make, against a peer that says what the test wants. */
import { describe, expect, test } from 'vitest';
import type { HeaderFields } from '../../../../firmware/sip/contracts.ts';
import type { Request } from '../../../../firmware/sip/message/message.ts';
import { tagOf } from '../../../../firmware/sip/transaction/matching.ts';
import type { ScriptedPeer } from '../../../sim/scripted-peer.ts';
import { sdp } from '../../../sim/sip-phone.ts';
import { request, stage } from '../stage.ts';

const target = 'sip:peer@192.0.2.2';
const contact: HeaderFields = [['Contact', '<sip:peer@192.0.2.2>']];
const answer = { headers: contact, body: sdp('answer') };

/** Dials, and lets the test answer each INVITE. BYE and CANCEL are answered 200. */
function dial(
  onInvite: (peer: ScriptedPeer, invite: Request, count: number) => void,
  options: Parameters<typeof stage>[0] = {},
  to = target,
) {
  const { peer, phone, ...rest } = stage(options);
  let count = 0;
  peer.onRequest = received => {
    if (received.method === 'INVITE') onInvite(peer, received, ++count);
    if (received.method === 'BYE' || received.method === 'CANCEL') peer.reply(received, 200);
  };
  phone.dial(to);
  rest.clock.advance(10);
  return { peer, phone, ...rest };
}

const ringing = (peer: ScriptedPeer, invite: Request) => peer.reply(invite, 180, { headers: contact });
const answering = (peer: ScriptedPeer, invite: Request) => peer.reply(invite, 200, answer);
const toTags = (requests: readonly Request[]) => requests.map(({ headers }) => tagOf(headers.get('To')));

describe('giving up', () => {
  test('before any response waits for one, then sends CANCEL (§9.1)', () => {
    const { clock, peer, phone, userAgent } = dial(() => {});
    phone.call!.hangUp();
    expect(phone.heard).toEqual(['ended by us']);
    clock.advance(100);
    expect(peer.requests('CANCEL')).toEqual([]);
    const [invite] = peer.requests('INVITE');
    peer.reply(invite!, 100);
    clock.advance(10);
    const [cancel] = peer.requests('CANCEL');
    expect(cancel!.headers.get('Via')).toBe(invite!.headers.get('Via'));
    expect(cancel!.headers.get('CSeq')).toBe('1 CANCEL');
    peer.reply(invite!, 487);
    clock.advance(10);
    expect(peer.requests('ACK').length).toBe(1);
    expect(userAgent.alive.calls).toBe(0);
    expect(phone.heard).toEqual(['ended by us']);
  });

  test('that crosses a 200 acknowledges it and says BYE', () => {
    const { clock, peer, phone, userAgent } = dial(ringing);
    phone.call!.hangUp();
    peer.reply(peer.requests('INVITE')[0]!, 200, answer);
    clock.advance(10);
    expect(peer.requests('ACK').length).toBe(1);
    expect(peer.requests('BYE').length).toBe(1);
    expect(phone.heard).toEqual(['progress 180', 'ended by us']);
    expect(userAgent.alive.calls).toBe(0);
  });

  test('on a peer that never sends a final response ends after 64 × T1 (§9.1)', () => {
    const { clock, phone, userAgent } = dial(ringing);
    phone.call!.hangUp();
    clock.advance(31_000);
    expect(userAgent.alive.calls).toBe(1);
    clock.advance(2_000);
    expect(userAgent.alive.calls).toBe(0);
    clock.advance(60_000);
    expect(clock.armed).toEqual([]);
  });

  test('comes by itself at the ring limit', () => {
    const { clock, peer, phone } = dial(ringing, { settings: { ringLimitMs: 20_000 } });
    clock.advance(20_000);
    expect(phone.heard).toEqual(['progress 180', 'ended by failure no answer for 20 s']);
    expect(peer.requests('CANCEL').length).toBe(1);
    expect(peer.requests('CANCEL')[0]!.headers.get('Reason')).toBe('SIP;cause=408;text="no answer for 20 s"');
  });

  test('twice is giving up once', () => {
    const { phone } = dial(ringing);
    phone.call!.hangUp();
    phone.call!.hangUp();
    expect(phone.ends).toEqual([{ by: 'us' }]);
  });
});

describe('an answer', () => {
  test('brings early media, then the answer', () => {
    const { phone } = dial((peer, invite) => {
      peer.reply(invite, 183, { headers: contact, body: sdp('early') });
      peer.reply(invite, 200, answer);
    });
    expect(phone.heard).toEqual(['progress 183 early', 'answered answer']);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('that comes again is acknowledged again, and told once', () => {
    const { clock, peer, phone, userAgent } = dial(answering);
    clock.advance(500);
    peer.reply(peer.requests('INVITE')[0]!, 200, answer);
    clock.advance(10);
    expect(peer.requests('ACK').map(({ headers }) => headers.get('CSeq'))).toEqual(['1 ACK', '1 ACK']);
    expect(phone.heard).toEqual(['answered answer']);
    expect(userAgent.counters.retransmissions).toBe(1);
  });

  test('of a second fork is acknowledged and ended; the first goes on (§13.2.2.4)', () => {
    const { clock, peer, phone, userAgent } = dial((peer, invite) => {
      peer.reply(invite, 180, { headers: contact, tag: 'a' });
      peer.reply(invite, 180, { headers: contact, tag: 'b' });
      peer.reply(invite, 200, { ...answer, tag: 'a' });
    });
    peer.reply(peer.requests('INVITE')[0]!, 200, { ...answer, tag: 'b' });
    clock.advance(10);
    peer.reply(peer.requests('INVITE')[0]!, 200, { ...answer, tag: 'b' });
    clock.advance(10);
    expect(toTags(peer.requests('ACK'))).toEqual(['a', 'b', 'b']);
    expect(toTags(peer.requests('BYE'))).toEqual(['b']);
    expect(phone.heard).toEqual(['progress 180', 'progress 180', 'answered answer']);
    expect(userAgent.alive.calls).toBe(1);
  });

  test('without Contact is acknowledged where the INVITE went', () => {
    const { peer } = dial((peer, invite) => peer.reply(invite, 200, { body: sdp('answer') }));
    expect(peer.requests('ACK')[0]!.uri).toBe(target);
  });
});

describe('the route', () => {
  const routed = (recordRoute: string) => {
    const { clock, peer, phone } = dial((peer, invite) => {
      invite.headers.add('Record-Route', recordRoute);
      peer.reply(invite, 200, { headers: [['Contact', '<sip:peer@203.0.113.5>']] });
    });
    phone.call!.hangUp();
    clock.advance(10);
    return peer.requests('BYE')[0]!;
  };

  test('of loose routers stays a Route, in reverse (§12.1.2)', () => {
    const bye = routed('<sip:far.example;lr>, <sip:192.0.2.2;lr>');
    expect(bye.uri).toBe('sip:peer@203.0.113.5');
    expect(bye.headers.all('Route')).toEqual(['<sip:192.0.2.2;lr>', '<sip:far.example;lr>']);
  });

  test('through a strict router puts it into the Request-URI and the target last (§12.2.1.1)', () => {
    const bye = routed('<sip:far.example;lr>, <sip:192.0.2.2>');
    expect(bye.uri).toBe('sip:192.0.2.2');
    expect(bye.headers.all('Route')).toEqual(['<sip:far.example;lr>', '<sip:peer@203.0.113.5>']);
  });
});

describe('a redirect', () => {
  const moved = (...contacts: string[]) => ({ headers: contacts.map(value => ['Contact', value] as const) });
  const uris = (peer: ScriptedPeer) => peer.requests('INVITE').map(({ uri }) => uri);

  test('is followed in the order of q, with the same Call-ID and To (§8.1.3.4)', () => {
    const { peer, phone } = dial((peer, invite, count) => {
      if (count === 1) peer.reply(invite, 302, moved('<sip:b@192.0.2.2>;q=0.1', '<sip:a@192.0.2.2>;q=0.7'));
      else peer.reply(invite, count === 2 ? 404 : 200, count === 2 ? {} : answer);
    });
    expect(uris(peer)).toEqual([target, 'sip:a@192.0.2.2', 'sip:b@192.0.2.2']);
    const invites = peer.requests('INVITE');
    expect(new Set(invites.map(({ headers }) => headers.get('Call-ID'))).size).toBe(1);
    expect(new Set(invites.map(({ headers }) => headers.get('To')))).toEqual(new Set([`<${target}>`]));
    expect(invites.map(({ headers }) => headers.get('CSeq'))).toEqual(['1 INVITE', '2 INVITE', '3 INVITE']);
    expect(phone.heard).toEqual(['answered answer']);
  });

  test('in a circle ends the call', () => {
    const { peer, phone } = dial((peer, invite, count) =>
      peer.reply(invite, 302, moved(count === 1 ? '<sip:a@192.0.2.2>' : `<${target}>`)),
    );
    expect(uris(peer)).toEqual([target, 'sip:a@192.0.2.2']);
    expect(phone.heard).toEqual(['ended by refusal 302']);
  });

  test('is followed as often as the settings allow', () => {
    const { peer, phone, clock } = dial(
      (peer, invite, count) => peer.reply(invite, 302, moved(`<sip:a${count}@192.0.2.2>`)),
      {
        settings: { maxRedirects: 3 },
      },
    );
    clock.advance(100);
    expect(uris(peer).length).toBe(4);
    expect(phone.heard).toEqual(['ended by refusal 302']);
  });

  test('is not followed after a 6xx, nor after giving up', () => {
    const declined = dial((peer, invite, count) => {
      if (count === 1) peer.reply(invite, 300, moved('<sip:a@192.0.2.2>', '<sip:b@192.0.2.2>'));
      else peer.reply(invite, 603);
    });
    expect(uris(declined.peer)).toEqual([target, 'sip:a@192.0.2.2']);
    expect(declined.phone.heard).toEqual(['ended by refusal 603']);

    const { clock, peer, phone } = dial(ringing);
    phone.call!.hangUp();
    peer.reply(peer.requests('INVITE')[0]!, 302, moved('<sip:a@192.0.2.2>'));
    clock.advance(10);
    expect(uris(peer)).toEqual([target]);
  });

  test.each(['<tel:123>', '<sip:a@192.0.2.2?Subject=x>', '<mailto:a@example.org>'])('to %s is not followed', value => {
    const { peer, phone } = dial((peer, invite) => peer.reply(invite, 302, moved(value)));
    expect(uris(peer)).toEqual([target]);
    expect(phone.heard).toEqual(['ended by refusal 302']);
  });
});

describe('a challenge', () => {
  const account = { password: 'secret' };
  const challenge = (nonce: string, more = '', realm = 'r') => ({
    headers: [['WWW-Authenticate', `Digest realm="${realm}", nonce="${nonce}", qop="auth"${more}`]] as const,
  });

  test('is answered once; refused again, the call has failed', () => {
    const { peer, phone } = dial((peer, invite, count) => peer.reply(invite, 401, challenge(`n${count}`)), { account });
    expect(peer.requests('INVITE').length).toBe(2);
    expect(phone.heard).toEqual(['ended by refusal 401']);
  });

  test('with a stale nonce is answered again, but not for ever', () => {
    const { peer, phone, clock } = dial(
      (peer, invite, count) => peer.reply(invite, 401, challenge(`n${count}`, ', stale=true')),
      { account },
    );
    clock.advance(100);
    expect(peer.requests('INVITE').length).toBe(4);
    expect(phone.heard).toEqual(['ended by refusal 401']);
  });

  test('of ever new realms is not answered for ever', () => {
    const { peer, phone, clock } = dial(
      (peer, invite, count) => peer.reply(invite, 401, challenge('n', '', `realm ${count}`)),
      { account },
    );
    clock.advance(1_000);
    expect(peer.requests('INVITE').length).toBeLessThan(9);
    expect(phone.heard).toEqual(['ended by refusal 401']);
  });

  test('without a password, or in a scheme we do not know, is a refusal', () => {
    expect(dial((peer, invite) => peer.reply(invite, 401, challenge('n'))).phone.heard).toEqual([
      'ended by refusal 401',
    ]);
    const foreign = { headers: [['WWW-Authenticate', 'Bearer realm="r"']] as const };
    expect(dial((peer, invite) => peer.reply(invite, 401, foreign), { account }).phone.heard).toEqual([
      'ended by refusal 401',
    ]);
  });

  test('is answered in advance in the next request, with the next nonce count', () => {
    const { clock, peer, phone } = dial(
      (peer, invite) => {
        if (invite.headers.has('Authorization')) peer.reply(invite, 200, answer);
        else peer.reply(invite, 401, challenge('n'));
      },
      { account },
    );
    phone.call!.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[0]!.headers.get('Authorization')).toContain('nc=00000002');
    expect(peer.requests('ACK')[1]!.headers.get('Authorization')).toBe(
      peer.requests('INVITE')[1]!.headers.get('Authorization'),
    );
  });
});

describe('several addresses', () => {
  const dead = { host: '192.0.2.66', port: 5060 };
  const alive = { host: '192.0.2.2', port: 5060 };

  test('are tried in turn when one does not answer (RFC 3263 §4.3)', () => {
    const { clock, phone } = dial(answering, { hosts: { 'pbx.example': [dead, alive] } }, 'sip:a@pbx.example');
    clock.advance(33_000);
    expect(phone.heard).toEqual(['answered answer']);
  });

  test('of which there is none end the call after it has been returned', () => {
    const { phone, userAgent } = dial(answering, {}, 'sip:a@nowhere.example');
    expect(phone.heard).toEqual(['ended by failure no such host: nowhere.example']);
    expect(userAgent.alive.calls).toBe(0);
  });
});

describe('requests of the peer in our dialog', () => {
  const inDialog = (peer: ScriptedPeer, method: string, sequence: number, more = '') => {
    const { headers } = peer.requests('INVITE')[0]!;
    const [from, to] = [`${headers.get('To')};tag=peer`, headers.get('From')!];
    return request({
      method,
      sequence,
      from,
      to,
      callId: headers.get('Call-ID')!,
      more,
      branch: `z9hG4bK-${method}${sequence}`,
    });
  };

  test('BYE ends the call with its reason (RFC 3326)', () => {
    const { peer, phone, say, userAgent } = dial(answering);
    say(inDialog(peer, 'BYE', 1, 'Reason: Q.850;cause=16;text="Normal call clearing"'));
    expect(phone.heard.at(-1)).toBe('ended by them Normal call clearing');
    expect(peer.statuses).toEqual([200]);
    expect(userAgent.alive.calls).toBe(0);
  });

  test('out of order are answered 500 (§12.2.2)', () => {
    const { peer, phone, say } = dial(answering);
    say(inDialog(peer, 'OPTIONS', 10));
    say(inDialog(peer, 'BYE', 9));
    expect(peer.statuses).toEqual([200, 500]);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('after our BYE: theirs is answered 200, anything else 481', () => {
    const { peer, phone, say } = dial(answering);
    peer.onRequest = () => {};
    phone.call!.hangUp();
    say(inDialog(peer, 'OPTIONS', 1));
    say(inDialog(peer, 'BYE', 2));
    expect(peer.statuses).toEqual([481, 200]);
    expect(phone.heard.filter(line => line.startsWith('ended'))).toEqual(['ended by us']);
  });

  test('in an early dialog: OPTIONS is answered, INVITE is too soon, BYE is not theirs to say (§15)', () => {
    const { peer, phone, say } = dial(ringing);
    say(inDialog(peer, 'OPTIONS', 1));
    say(inDialog(peer, 'INVITE', 2));
    say(inDialog(peer, 'BYE', 3));
    expect(peer.statuses).toEqual([200, 491, 403]);
    expect(phone.heard).toEqual(['progress 180']);
  });

  test('BYE without an answer is given up after 32 s, and nothing stays', () => {
    const { clock, peer, phone, userAgent } = dial(answering);
    peer.onRequest = () => {};
    phone.call!.hangUp();
    clock.advance(33_000);
    expect(userAgent.alive.calls).toBe(0);
    clock.advance(60_000);
    expect(clock.armed).toEqual([]);
  });
});
