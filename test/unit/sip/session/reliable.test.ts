/** Provisional responses that must arrive, and their PRACK (RFC 3262), as callee and as caller. */
import { describe, expect, test } from 'vitest';
import { sdp, textOf } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

const bodyOf = ({ body }: { body: Uint8Array }) => textOf({ contentType: '', bytes: body });

/** A call that comes, with a peer that can write the PRACK to our newest reliable response. */
function called(more: string, line: Line = {}, onInvite = true) {
  const all = stage();
  const { peer, phone } = all;
  if (!onInvite) phone.onInvite = () => {};
  all.say(request({ more, body: 'offer', ...line }));
  let sequence = 1;
  const tag = () => peer.responses().at(-1)!.headers.get('To')!;
  const inside = (method: string, and: Line = {}) => {
    sequence++;
    all.say(request({ method, sequence, to: tag(), branch: `z9hG4bK-${method}-${sequence}`, ...and }));
  };
  const reliable = () => peer.responses().filter(({ headers }) => headers.has('RSeq'));
  const rack = () => `RAck: ${reliable().at(-1)!.headers.get('RSeq')} 1 INVITE`;
  const prack = (and: Line = {}) => inside('PRACK', { more: rack(), ...and });
  return { ...all, inside, prack, reliable };
}

describe('a caller that only can', () => {
  test('gets its 180 as ever, and early media reliably', () => {
    const { clock, peer, phone, reliable } = called('Supported: 100rel');
    expect(reliable().length).toBe(0);
    phone.call!.ring(sdp('early'));
    clock.advance(10);
    const [response] = peer.responses(183);
    expect(response!.headers.all('Require')).toEqual(['100rel']);
    expect(Number(response!.headers.get('RSeq'))).toBeGreaterThan(0);
    expect(bodyOf(response!)).toBe('early');
  });
});

describe('a caller that insists', () => {
  const required = 'Require: 100rel';

  test('gets 180 again after 0.5, 1.5, 3.5 s … until its PRACK', () => {
    const { clock, peer, prack, reliable } = called(required);
    expect(reliable().length).toBe(1);
    clock.advance(3_600);
    expect(reliable().length).toBe(4);
    prack();
    expect(peer.statuses.at(-1)).toBe(200);
    clock.advance(50_000);
    expect(reliable().length).toBe(4);
    expect(new Set(reliable().map(({ headers }) => headers.get('RSeq'))).size).toBe(1);
  });

  test('gets the 200 only after its PRACK', () => {
    const { clock, peer, phone, prack, inside } = called(required);
    phone.call!.accept(sdp('answer'));
    clock.advance(400);
    expect(peer.responses(200).length).toBe(0);
    prack();
    expect(peer.responses(200).map(({ headers }) => headers.get('CSeq'))).toEqual(['2 PRACK', '1 INVITE']);
    expect(bodyOf(peer.responses(200)[1]!)).toBe('answer');
    inside('ACK', { sequence: 1 });
    expect(phone.call!.state).toBe('confirmed');
  });

  test('that never sends PRACK is refused with 504 after 64 T1', () => {
    const { clock, peer, phone, userAgent } = called(required);
    phone.call!.accept(sdp('answer'));
    clock.advance(31_900);
    expect(peer.responses(504).length).toBe(0);
    clock.advance(200);
    expect(peer.responses(504).length).toBe(1);
    expect(phone.heard.at(-1)).toBe('ended by failure no PRACK came');
    clock.advance(60_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('and gives up in between: 487, and no more copies', () => {
    const { clock, peer, say, reliable } = called(required);
    say(request({ method: 'CANCEL', branch: 'z9hG4bK-invite' }));
    clock.advance(20_000);
    expect(peer.responses(487).length).toBeGreaterThan(0);
    expect(reliable().length).toBe(1);
  });

  test('hung up on while the 200 waits is refused', () => {
    const { clock, peer, phone } = called(required);
    phone.call!.accept(sdp('answer'));
    phone.call!.hangUp();
    clock.advance(10);
    expect(peer.responses(480).length).toBe(1);
    expect(phone.heard.at(-1)).toBe('ended by us');
  });

  test('hears of a second response only when it has acknowledged the first, with the next number', () => {
    const { clock, phone, prack, reliable } = called(required);
    phone.call!.ring(sdp('early'));
    clock.advance(10);
    expect(reliable().map(({ status }) => status)).toEqual([180]);
    prack();
    const [first, second] = reliable();
    expect(second!.status).toBe(183);
    expect(Number(second!.headers.get('RSeq'))).toBe(Number(first!.headers.get('RSeq')) + 1);
    prack();
    clock.advance(5_000);
    expect(reliable().length).toBe(2);
  });

  test('has the answer once: not in the 200 after a reliable 183', () => {
    const { clock, peer, phone, prack } = called(required, {}, false);
    phone.call!.ring(sdp('early'));
    clock.advance(10);
    prack();
    phone.call!.accept(sdp('answer'));
    clock.advance(10);
    expect(peer.responses(200).at(-1)!.body.length).toBe(0);
  });

  test('and leaves the offer to us gets it in the 183, and answers in its PRACK', () => {
    const { clock, phone, prack, peer, inside } = called(required, { body: '' }, false);
    phone.call!.ring(sdp('our offer'));
    clock.advance(10);
    prack({ body: 'their answer' });
    expect(phone.heard.at(-1)).toBe('reoffered their answer');
    phone.call!.accept(sdp('our offer'));
    clock.advance(10);
    expect(peer.responses(200).at(-1)!.body.length).toBe(0);
    inside('ACK', { sequence: 1 });
    expect(phone.heard.at(-1)).toBe('answered');
  });

  test('and leaves the offer to us gets no 180 without one (RFC 3261 §13.2.1)', () => {
    expect(called(required, { body: '' }).peer.statuses).toEqual([]);
  });
});

describe('PRACK', () => {
  const required = 'Require: 100rel';

  test.each(['1 1 INVITE', '', 'x', '4294967296 1 INVITE', '-1 1 INVITE', '1 1'])(
    'for another response (%j) is answered 481',
    rack => {
      const { clock, inside, peer, reliable } = called(required);
      inside('PRACK', { more: `RAck: ${rack}` });
      expect(peer.statuses.at(-1)).toBe(481);
      clock.advance(600);
      expect(reliable().length).toBe(2);
    },
  );

  test('for another request is answered 481', () => {
    const { inside, peer, reliable } = called(required);
    inside('PRACK', { more: `RAck: ${reliable()[0]!.headers.get('RSeq')} 9 INVITE` });
    inside('PRACK', { more: `RAck: ${reliable()[0]!.headers.get('RSeq')} 1 OPTIONS` });
    inside('PRACK');
    expect(peer.statuses).toEqual([180, 481, 481, 481]);
  });

  test('a second time, or where nothing was reliable, is answered 481', () => {
    const { prack, peer } = called(required);
    prack();
    prack();
    expect(peer.statuses).toEqual([180, 200, 481]);
    const plain = called('');
    plain.inside('PRACK', { more: 'RAck: 1 1 INVITE' });
    expect(plain.peer.statuses).toEqual([180, 481]);
  });

  test('outside any call is answered 481', () => {
    const { peer, say } = stage();
    say(request({ method: 'PRACK', more: 'RAck: 1 1 INVITE' }));
    expect(peer.statuses).toEqual([481]);
  });

  test('with a new offer, once the first is answered, is answered with ours (§5)', () => {
    const { clock, peer, phone, prack } = called(required, {}, false);
    phone.call!.ring(sdp('early'));
    clock.advance(10);
    prack({ body: 'another' });
    expect(phone.heard.at(-1)).toBe('offer another');
    expect(bodyOf(peer.responses(200)[0]!)).toBe('new answer');
  });

  test('with an offer before that is answered 488', () => {
    const { peer, phone, prack } = called(required);
    prack({ body: 'another' });
    expect(peer.statuses.at(-1)).toBe(488);
    expect(phone.heard.at(-1)).not.toBe('offer another');
  });

  test('makes room for an UPDATE with an offer before the answer (RFC 3311 §5.2)', () => {
    const { clock, peer, phone, prack, inside } = called(required, {}, false);
    phone.call!.ring(sdp('early'));
    clock.advance(10);
    inside('UPDATE', { body: 'too early' });
    prack();
    inside('UPDATE', { body: 'moved' });
    expect(peer.statuses).toEqual([183, 500, 200, 200]);
    expect(phone.heard.at(-1)).toBe('offer moved');
  });
});

describe('as caller', () => {
  const contact = ['Contact', '<sip:peer@192.0.2.2>'] as const;
  const reliable = (sequence: number | string) => [contact, ['Require', '100rel'], ['RSeq', String(sequence)]] as const;

  function calling() {
    const all = stage();
    const { clock, peer, phone } = all;
    peer.onRequest = received => {
      if (received.method === 'PRACK' || received.method === 'BYE') peer.reply(received, 200);
    };
    phone.dial('sip:peer@192.0.2.2');
    clock.advance(10);
    const [invite] = peer.requests('INVITE');
    const reply = (status: number, reply: Parameters<typeof peer.reply>[2]) => {
      peer.reply(invite!, status, reply);
      clock.advance(10);
    };
    return { ...all, invite: invite!, reply };
  }
  const racks = (peer: ReturnType<typeof stage>['peer']) =>
    peer.requests('PRACK').map(({ headers }) => headers.get('RAck'));

  test('we say that we can', () => {
    expect(calling().invite.headers.all('Supported')).toContain('100rel');
  });

  test('a reliable response is told and acknowledged, its copies neither told nor acknowledged anew', () => {
    const { peer, phone, reply } = calling();
    for (let copy = 0; copy < 3; copy++) reply(183, { headers: reliable(7), body: sdp('early') });
    expect(racks(peer)).toEqual(['7 1 INVITE']);
    expect(phone.heard).toEqual(['progress 183 early']);
    expect(peer.requests('PRACK')[0]!.headers.get('CSeq')).toBe('2 PRACK');
    expect(peer.requests('PRACK')[0]!.uri).toBe('sip:peer@192.0.2.2');
  });

  test('one that has overtaken another waits for that (§4)', () => {
    const { peer, phone, reply } = calling();
    reply(180, { headers: reliable(7) });
    reply(183, { headers: reliable(9) });
    expect(racks(peer)).toEqual(['7 1 INVITE']);
    reply(183, { headers: reliable(8) });
    reply(183, { headers: reliable(9) });
    expect(racks(peer)).toEqual(['7 1 INVITE', '8 1 INVITE', '9 1 INVITE']);
    expect(phone.heard).toEqual(['progress 180', 'progress 183', 'progress 183']);
  });

  test.each(['', 'x', '-1', '4294967296'])('RSeq %j is told, but there is nothing to acknowledge', sequence => {
    const { peer, phone, reply } = calling();
    reply(180, { headers: reliable(sequence) });
    expect(racks(peer)).toEqual([]);
    expect(phone.heard).toEqual(['progress 180']);
  });

  test('the 200 may leave out the answer that came before; the numbers of the dialog go on', () => {
    const { clock, peer, phone, reply } = calling();
    reply(183, { headers: reliable(1), body: sdp('early') });
    reply(200, {
      headers: [
        ['Contact', '<sip:moved@192.0.2.2>'],
        ['Record-Route', '<sip:192.0.2.2;lr>'],
      ],
    });
    expect(phone.heard.at(-1)).toBe('answered');
    phone.call!.hangUp();
    clock.advance(10);
    const [bye] = peer.requests('BYE');
    expect(bye!.headers.get('CSeq')).toBe('3 BYE');
    expect(bye!.uri).toBe('sip:moved@192.0.2.2');
    expect(bye!.headers.get('Route')).toBe('<sip:192.0.2.2;lr>');
  });

  test('forks are acknowledged each in their own dialog, and the late one is ended with the next number', () => {
    const { clock, peer, phone, reply } = calling();
    reply(183, { headers: reliable(1), tag: 'one' });
    reply(183, { headers: reliable(50), tag: 'two' });
    expect(racks(peer)).toEqual(['1 1 INVITE', '50 1 INVITE']);
    reply(200, { headers: [contact], tag: 'one', body: sdp('answer') });
    reply(200, { headers: [contact], tag: 'two', body: sdp('answer') });
    const [bye] = peer.requests('BYE');
    expect(bye!.headers.get('To')).toContain('tag=two');
    expect(bye!.headers.get('Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
    expect(bye!.headers.get('CSeq')).toBe('3 BYE');
    phone.call!.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[1]!.headers.get('CSeq')).toBe('3 BYE');
  });

  test('a PRACK that nobody answers costs the call nothing', () => {
    const { clock, peer, phone, reply } = calling();
    peer.onRequest = () => {};
    reply(183, { headers: reliable(1) });
    clock.advance(40_000);
    reply(200, { headers: [contact], body: sdp('answer') });
    expect(phone.heard.at(-1)).toBe('answered answer');
  });

  test('an UPDATE with an offer is taken once the answer has come reliably', () => {
    const { invite, peer, phone, reply, say } = calling();
    reply(183, { headers: reliable(1), body: sdp('early') });
    const { headers } = invite;
    const dialog = { from: `${headers.get('To')};tag=peer`, to: headers.get('From')!, callId: headers.get('Call-ID')! };
    say(request({ method: 'UPDATE', branch: 'z9hG4bK-1', ...dialog, body: 'moved' }));
    expect(peer.statuses).toEqual([200]);
    expect(phone.heard.at(-1)).toBe('offer moved');
  });
});
