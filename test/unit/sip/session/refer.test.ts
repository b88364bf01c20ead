/** REFER in a call: what is taken, handed to the controller, and told back (RFC 3515, RFC 3891, RFC 4488). */
import { describe, expect, test } from 'vitest';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseReplaces, printReplaces } from '../../../../firmware/sip/session/replaces.ts';
import { seeded } from '../../../sim/seeded.ts';
import { sdp, textOf } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

/** A call that talks, and a controller that notes how it may tell of the new call. */
function talking({ transfers = true, notified = 200 } = {}) {
  const all = stage();
  const { clock, peer, phone } = all;
  let tell: (status: number) => void = () => {};
  if (transfers) {
    phone.onTransfer = (_, answer) => {
      tell = answer.accept();
    };
  }
  peer.onRequest = received => {
    if (received.method === 'NOTIFY') peer.reply(received, notified);
    if (received.method === 'BYE') peer.reply(received, 200);
  };
  all.say(request({ body: 'offer' }));
  phone.call!.accept(sdp('answer'));
  clock.advance(10);
  const to = peer.responses(200)[0]!.headers.get('To')!;
  all.say(request({ method: 'ACK', to }));
  peer.received.length = 0;
  const inside = (method: string, sequence: number, line: Line = {}) =>
    all.say(request({ method, sequence, to, branch: `z9hG4bK-${method}-${sequence}`, ...line }));
  const refer = (more: string, sequence = 2) => {
    inside('REFER', sequence, { more });
    clock.advance(10);
  };
  const told = () =>
    peer
      .requests('NOTIFY')
      .map(({ headers, body }) => `${headers.get('Subscription-State')} ${textOf({ contentType: '', bytes: body })}`);
  const status = (code: number) => {
    tell(code);
    clock.advance(10);
  };
  return { ...all, inside, refer, told, status, to };
}

function talkingTo() {
  const all = talking();
  return { ...all, to: /tag=(.+)/.exec(all.to)![1]! };
}

describe('REFER', () => {
  test('is taken with 202, and how it goes is told by NOTIFY to the end (§2.4.4)', () => {
    const { clock, peer, phone, refer, status, told, userAgent } = talking();
    refer('Refer-To: <sip:carol@192.0.2.3>');
    expect(peer.statuses).toEqual([202]);
    expect(phone.heard.at(-1)).toBe('transfer to sip:carol@192.0.2.3');
    status(180);
    status(200);
    expect(told()).toEqual([
      'active;expires=180 SIP/2.0 100 Trying\r\n',
      'active;expires=180 SIP/2.0 180 Ringing\r\n',
      'terminated;reason=noresource SIP/2.0 200 OK\r\n',
    ]);
    const [first] = peer.requests('NOTIFY');
    expect(first!.headers.get('Event')).toBe('refer;id=2');
    expect(first!.headers.get('Content-Type')).toBe('message/sipfrag;version=2.0');
    phone.call!.hangUp();
    clock.advance(40_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test.each([
    ['Refer-To: "Carol" <sip:carol@h;transport=udp>', 'sip:carol@h;transport=udp'],
    ['r: sip:carol@h', 'sip:carol@h'],
    ['Refer-To: <sip:carol@h;method=INVITE>', 'sip:carol@h'],
    ['Refer-To: <sip:c@h?Replaces=id%40x%3Bto-tag%3Da%3Bfrom-tag%3Db>', 'sip:c@h Replaces: id@x;to-tag=a;from-tag=b'],
    ['Refer-To: <sip:c@h?Subject=x&Route=%3Csip%3Aevil%3E>', 'sip:c@h'],
    ['Refer-To: <sip:c@h>\nReferred-By: <sip:bob@h>', 'sip:c@h Referred-By: <sip:bob@h>'],
  ])('%j is handed on as %s', (more, expected) => {
    const { phone, refer } = talking();
    refer(more);
    expect(phone.heard.at(-1)).toBe(`transfer to ${expected}`);
  });

  test.each([
    ['', 400],
    ['Refer-To: <sip:a@h>\nRefer-To: <sip:b@h>', 400],
    ['Refer-To: <sip:a@h', 400],
    ['Refer-To: <sip:>', 400],
    ['Refer-To: <http://h/>', 416],
    ['Refer-To: <tel:123>', 416],
    ['Refer-To: <sip:a@h;method=BYE>', 403],
    ['Refer-To: <sip:a@h?Replaces=id>', 400],
    ['Refer-To: <sip:a@h?Replaces=id%0D%0AEvil%3Ax%3Bto-tag%3Da%3Bfrom-tag%3Db>', 400],
    ['Refer-To: <sip:a@h?Replaces=%FF>', 400],
  ])('%j is refused with %i', (more, status) => {
    const { peer, phone, refer, told } = talking();
    refer(more);
    expect(peer.statuses).toEqual([status]);
    expect(phone.heard.at(-1)).toBe('answered');
    expect(told()).toEqual([]);
  });

  test('is refused where nobody takes transfers', () => {
    const { peer, refer } = talking({ transfers: false });
    refer('Refer-To: <sip:carol@h>');
    expect(peer.statuses).toEqual([403]);
  });

  test('refused by the controller leaves room for another', () => {
    const { peer, phone, refer } = talking();
    phone.onTransfer = (_, answer) => answer.refuse(403);
    refer('Refer-To: <sip:carol@h>');
    refer('Refer-To: <sip:carol@h>', 3);
    expect(peer.statuses).toEqual([403, 403]);
  });

  test('of a peer that does not want to hear of it is silent (RFC 4488)', () => {
    const { peer, refer, status, told } = talking();
    refer('Refer-Sub: false\nRefer-To: <sip:carol@h>');
    status(200);
    expect(peer.responses(202)[0]!.headers.get('Refer-Sub')).toBe('false');
    expect(told()).toEqual([]);
    refer('Refer-To: <sip:carol@h>', 3);
    expect(peer.statuses).toEqual([202, 202]);
  });

  test('while another is under way is answered 491', () => {
    const { peer, refer } = talking();
    refer('Refer-To: <sip:carol@h>');
    refer('Refer-To: <sip:dave@h>', 3);
    expect(peer.statuses).toEqual([202, 491]);
  });

  test('to a peer that refuses NOTIFY ends with that, and the call goes on', () => {
    const { phone, refer, status, told } = talking({ notified: 481 });
    refer('Refer-To: <sip:carol@h>');
    status(180);
    status(200);
    expect(told().length).toBe(1);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('whose last word is on its way is followed by our BYE when the peer has answered that', () => {
    const { clock, peer, phone, refer, status, userAgent } = talking();
    refer('Refer-To: <sip:carol@h>');
    peer.onRequest = received => {
      const lateMs = received.method === 'NOTIFY' ? 300 : 0;
      clock.after(lateMs, () => peer.reply(received, 200), 'slow peer');
    };
    status(200);
    phone.call!.hangUp();
    expect(peer.requests('BYE').length).toBe(0);
    expect(phone.heard.at(-1)).toBe('ended by us');
    clock.advance(320);
    expect(peer.requests('BYE').length).toBe(1);
    clock.advance(40_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('whose last word is not answered is followed by our BYE after a second', () => {
    const { clock, peer, phone, refer, status, userAgent } = talking();
    refer('Refer-To: <sip:carol@h>');
    peer.onRequest = received => {
      if (received.method === 'BYE') peer.reply(received, 200);
    };
    status(200);
    phone.call!.hangUp();
    clock.advance(980);
    expect(peer.requests('BYE').length).toBe(0);
    clock.advance(40);
    expect(peer.requests('BYE').length).toBe(1);
    clock.advance(40_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('whose last word is answered by a BYE is followed by none of ours', () => {
    const { clock, inside, peer, phone, refer, status, userAgent } = talking();
    refer('Refer-To: <sip:carol@h>');
    peer.onRequest = () => {};
    status(200);
    phone.call!.hangUp();
    inside('BYE', 3);
    clock.advance(40_000);
    expect(peer.statuses.at(-1)).toBe(200);
    expect(peer.requests('BYE').length).toBe(0);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('is told nothing more once the peer has hung up', () => {
    const { clock, inside, refer, status, told, userAgent } = talking();
    refer('Refer-To: <sip:carol@h>');
    inside('BYE', 3);
    status(200);
    expect(told().length).toBe(1);
    clock.advance(40_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('goes on after an answer that took its time: the newest status is told, not each', () => {
    const { clock, peer, refer, status, told } = talking();
    peer.onRequest = received => {
      if (received.method === 'NOTIFY') clock.after(300, () => peer.reply(received, 200), 'slow peer');
    };
    refer('Refer-To: <sip:carol@h>');
    status(180);
    status(183);
    status(486);
    clock.advance(2_000);
    expect(told().map(line => line.split(' ')[2])).toEqual(['100', '486']);
  });

  test('before the answer, and outside any call, is refused', () => {
    const { peer, say } = stage();
    say(request());
    const to = peer.responses(180)[0]!.headers.get('To')!;
    say(request({ method: 'REFER', sequence: 2, to, more: 'Refer-To: <sip:carol@h>' }));
    say(request({ method: 'REFER', callId: 'other', branch: 'z9hG4bK-other', more: 'Refer-To: <sip:carol@h>' }));
    expect(peer.statuses).toEqual([180, 403, 403]);
  });
});

describe('an INVITE with Replaces', () => {
  const replacing = (more: string, sequence = 1) =>
    request({
      callId: `new-${sequence}`,
      branch: `z9hG4bK-new-${sequence}`,
      from: '<sip:carol@h>;tag=c1',
      body: 'o',
      more,
    });

  test('is told with the call that it wants the place of, though every line is taken (RFC 3891 §3)', () => {
    const { phone, say, to } = talkingTo();
    const old = phone.call!;
    say(replacing(`Replaces: call-1;to-tag=${to};from-tag=p1`));
    expect(phone.invite!.replaces).toBe(old);
    phone.call!.accept(sdp('answer'));
    old.hangUp();
    expect(phone.heard.at(-1)).toBe('ended by us');
    expect(phone.call!.state).toBe('answered');
  });

  test.each([
    ['of a call that does not exist', (tag: string) => `Replaces: other;to-tag=${tag};from-tag=p1`, 481],
    ['with the tags the wrong way round', (tag: string) => `Replaces: call-1;to-tag=p1;from-tag=${tag}`, 481],
    ['for an early dialog only', (tag: string) => `Replaces: call-1;to-tag=${tag};from-tag=p1;early-only`, 486],
    ['that is malformed', () => 'Replaces: call-1', 400],
    ['twice', (tag: string) => `Replaces: call-1;to-tag=${tag};from-tag=p1\nReplaces: x;to-tag=1;from-tag=2`, 400],
  ])('%s is refused', (_, more, status) => {
    const { peer, phone, say, to } = talkingTo();
    say(replacing(more(to)));
    expect(peer.statuses).toEqual([status]);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('of a call that only rings here is answered 481', () => {
    const { peer, say } = stage();
    say(request());
    const tag = /tag=(.+)/.exec(peer.responses(180)[0]!.headers.get('To')!)![1];
    say(replacing(`Replaces: call-1;to-tag=${tag};from-tag=p1`));
    expect(peer.statuses).toEqual([180, 481]);
  });

  test('of a call of ours that still rings there is told', () => {
    const { clock, peer, phone, say } = stage();
    peer.onRequest = received => {
      if (received.method === 'INVITE') peer.reply(received, 180, { headers: [['Contact', '<sip:peer@192.0.2.2>']] });
    };
    phone.dial('sip:peer@192.0.2.2');
    clock.advance(10);
    const old = phone.call!;
    const tag = /tag=(.+)/.exec(peer.requests('INVITE')[0]!.headers.get('From')!)![1];
    say(replacing(`Replaces: ${old.id};to-tag=${tag};from-tag=peer;early-only`));
    expect(phone.invite!.replaces).toBe(old);
  });
});

describe('Replaces', () => {
  test.each([
    ['id@h;to-tag=a;from-tag=b', { callId: 'id@h', toTag: 'a', fromTag: 'b', earlyOnly: false }],
    ['id ; from-tag=b ; to-tag=a;early-only', { callId: 'id', toTag: 'a', fromTag: 'b', earlyOnly: true }],
  ])('%j is read', (value, expected) => {
    expect(parseReplaces(value)).toEqual(expected);
    expect(parseReplaces(printReplaces(expected))).toEqual(expected);
  });

  test.each(['', ';', 'id', 'id;to-tag=a', 'id;from-tag=b', ';to-tag=a;from-tag=b', 'a b;to-tag=a;from-tag=b'])(
    '%j is malformed',
    value => {
      expect(parseReplaces(value)).toMatchObject({ status: 400 });
    },
  );

  test('of arbitrary bytes is read or malformed, and what is read can be written', () => {
    const chance = seeded(3);
    const pieces = ['id', ';', '=', 'to-tag', 'from-tag', '\r\n', ' ', '"', '\0', 'é', '%', 'early-only', ',', '<'];
    for (let run = 0; run < 3_000; run++) {
      const value = Array.from({ length: 8 }, () => pieces[Math.floor(chance.next() * pieces.length)]).join('');
      const parsed = parseReplaces(`id;to-tag=a;from-tag=b${value}`);
      if (!isMalformed(parsed)) expect(printReplaces(parsed)).toMatch(/^[!-~]+$/);
    }
  });
});
