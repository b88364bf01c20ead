/** UPDATE of the peer, in every state of a call (RFC 3311 §5.2). */
import { describe, expect, test } from 'vitest';
import { sdp, textOf } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

function called() {
  const all = stage();
  all.say(request({ body: 'offer' }));
  const to = all.peer.responses(180)[0]!.headers.get('To')!;
  const inside = (method: string, sequence: number, more: Line = {}) =>
    all.say(request({ method, sequence, to, branch: `z9hG4bK-${method}-${sequence}`, ...more }));
  return { ...all, inside };
}

function talking() {
  const all = called();
  all.phone.call!.accept(sdp('answer'));
  all.clock.advance(10);
  all.inside('ACK', 1);
  all.peer.received.length = 0;
  return all;
}

const at = (place: string) => ({ more: `Contact: <sip:${place}>` });

describe('in a call', () => {
  test('without an offer is answered 200, and nobody is told', () => {
    const { inside, peer, phone } = talking();
    inside('UPDATE', 2, at('peer@192.0.2.2'));
    expect(peer.statuses).toEqual([200]);
    expect(peer.responses(200)[0]!.headers.get('Contact')).toBe('<sip:user@192.0.2.1:5060>');
    expect(phone.heard.at(-1)).toBe('answered');
  });

  test('moves the peer: BYE goes to its new Contact', () => {
    const { clock, inside, peer, phone } = talking();
    inside('UPDATE', 2, at('elsewhere@192.0.2.2'));
    phone.call!.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[0]!.uri).toBe('sip:elsewhere@192.0.2.2');
  });

  test('with an offer is answered with ours', () => {
    const { inside, peer, phone } = talking();
    inside('UPDATE', 2, { ...at('peer@192.0.2.2'), body: 'hold' });
    expect(textOf({ contentType: '', bytes: peer.responses(200)[0]!.body })).toBe('new answer');
    expect(phone.heard.at(-1)).toBe('offer hold');
  });

  test('with an offer that we cannot use is refused, and the peer stays where it was', () => {
    const { clock, inside, peer, phone } = talking();
    phone.onOffer = (_, answer) => answer.refuse(488);
    inside('UPDATE', 2, { ...at('elsewhere@192.0.2.2'), body: 'hold' });
    expect(peer.statuses).toEqual([488]);
    phone.call!.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[0]!.uri).toBe('sip:peer@192.0.2.2');
  });

  test('with an offer that is not answered at once is refused with 504', () => {
    const { inside, peer, phone } = talking();
    phone.onOffer = () => {};
    inside('UPDATE', 2, { body: 'hold' });
    expect(peer.statuses).toEqual([504]);
  });

  test('while our offer is open is answered 491, and one without an offer 200', () => {
    const { clock, inside, peer, phone } = talking();
    phone.call!.reoffer(sdp('ours'));
    clock.advance(10);
    inside('UPDATE', 2, { body: 'theirs' });
    inside('UPDATE', 3);
    expect(peer.statuses).toEqual([491, 200]);
  });

  test('while the peer’s own re-INVITE waits is answered 500 with Retry-After', () => {
    const { inside, peer, phone } = talking();
    phone.onOffer = () => {};
    inside('INVITE', 2, { body: 'first' });
    inside('UPDATE', 3, { body: 'second' });
    expect(peer.statuses).toEqual([500]);
    expect(Number(peer.responses(500)[0]!.headers.get('Retry-After'))).toBeLessThanOrEqual(10);
  });

  test('while the offer that the peer wanted of us waits for its answer is answered 491', () => {
    const { inside, peer } = talking();
    inside('INVITE', 2);
    inside('UPDATE', 3, { body: 'theirs' });
    expect(peer.statuses).toEqual([200, 491]);
  });

  test('out of order is answered 500', () => {
    const { inside, peer } = talking();
    inside('UPDATE', 1);
    expect(peer.statuses).toEqual([500]);
  });

  test('after the end is answered 481', () => {
    const { inside, peer } = talking();
    inside('BYE', 2);
    inside('UPDATE', 3);
    expect(peer.statuses).toEqual([200, 481]);
  });
});

describe('before the answer', () => {
  test('without an offer is answered 200', () => {
    const { inside, peer } = called();
    inside('UPDATE', 2, at('peer@192.0.2.2'));
    expect(peer.statuses).toEqual([180, 200]);
  });

  test('with an offer is answered 500, since the first is not answered', () => {
    const { inside, peer, phone } = called();
    inside('UPDATE', 2, { body: 'another' });
    expect(peer.statuses).toEqual([180, 500]);
    expect(phone.heard).not.toContain('offer another');
  });

  test('of the side that we call: 200 without an offer, 491 with one', () => {
    const { clock, peer, phone, say } = stage();
    peer.onRequest = received => {
      if (received.method === 'INVITE') peer.reply(received, 180, { headers: [['Contact', '<sip:peer@192.0.2.2>']] });
    };
    phone.dial('sip:peer@192.0.2.2');
    clock.advance(10);
    const { headers } = peer.requests('INVITE')[0]!;
    const dialog = { from: `${headers.get('To')};tag=peer`, to: headers.get('From')!, callId: headers.get('Call-ID')! };
    say(request({ method: 'UPDATE', sequence: 1, branch: 'z9hG4bK-1', ...dialog }));
    say(request({ method: 'UPDATE', sequence: 2, branch: 'z9hG4bK-2', ...dialog, body: 'offer' }));
    expect(peer.statuses).toEqual([200, 491]);
  });
});

test('outside any call is answered 481', () => {
  const { peer, say } = stage();
  say(request({ method: 'UPDATE' }));
  expect(peer.statuses).toEqual([481]);
});
