/** Service flows of RFC 5359 in the parts that a device takes in them, besides those of flows.test.ts. */
import { expect, test } from 'vitest';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { sdp } from '../sim/sip-phone.ts';
import { carol, desk, farEnd, front, invite, request, stage } from './stage.ts';

/** A description of the desk, as much as matters here. */
const description = (direction: string, version = 1) =>
  [
    'v=0',
    `o=desk 1 ${version} IN IP4 192.0.2.10`,
    's=-',
    'c=IN IP4 192.0.2.10',
    't=0 0',
    'm=audio 20000 RTP/AVP 8',
    `a=${direction}`,
    '',
  ].join('\r\n');

function talking(options: Parameters<ReturnType<typeof stage>['door']>[0] = {}) {
  const { clock, network, golden, door } = stage();
  const far = farEnd(network);
  const phone = door(options);
  phone.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  return { clock, network, golden, phone, far, first: phone.call! };
}

/** The value of Replaces for the call that the device has with the desk. */
function replaces({ peer }: ReturnType<typeof farEnd>, tag = 'peer') {
  const { headers } = peer.requests('INVITE')[0]!;
  const ours = /tag=([^;]+)/.exec(headers.get('From')!)![1];
  return `${headers.get('Call-ID')};to-tag=${ours};from-tag=${tag}`;
}

test('RFC 5359 §2.1 the desk holds the call, and takes it back', async () => {
  const { clock, golden, phone, far } = talking();
  phone.onOffer = (offer, answer) => {
    const held = Buffer.from(offer!.bytes).toString().includes('sendonly');
    answer.accept(sdp(held ? 'a=recvonly' : 'a=sendrecv'));
  };
  const ack = () => far.say('ACK');
  far.say('INVITE', [], description('sendonly', 2));
  clock.advance(10);
  ack();
  clock.advance(5_000);
  far.say('INVITE', [], description('sendrecv', 3));
  clock.advance(10);
  ack();
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard.filter(line => line.startsWith('offer'))).toHaveLength(2);
  await golden('hold', 'RFC 5359 §2.1 Call Hold, §2.2 Consultation Hold: as who is held');
});

test('RFC 5359 §2.3 music on hold: asked for an offer, the device is told in the ACK where the music comes from', async () => {
  const { clock, golden, phone, far } = talking();
  phone.onOffer = (_, answer) => answer.accept(sdp('our offer'));
  far.say('INVITE');
  clock.advance(10);
  far.say('ACK', [], 'answer of the music server');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toContain('reoffered answer of the music server');
  await golden('music-on-hold', 'RFC 5359 §2.3 Music on Hold: as who hears it');
});

test('RFC 5359 §2.4 the device transfers the desk to carol', async () => {
  const { clock, golden, phone, far } = talking();
  const tell = (status: string, state: string) =>
    far.say(
      'NOTIFY',
      ['Event: refer', `Subscription-State: ${state}`, 'Content-Type: message/sipfrag;version=2.0'],
      `SIP/2.0 ${status}`,
    );
  far.peer.onRequest = received => {
    if (received.method === 'REFER') {
      far.peer.reply(received, 202);
      tell('180 Ringing', 'active;expires=60');
      clock.after(3_000, () => tell('200 OK', 'terminated;reason=noresource'), 'finger');
    } else if (received.method === 'BYE') far.peer.reply(received, 200);
  };
  phone.call!.transfer('sip:carol@192.0.2.30');
  clock.advance(5_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard.filter(line => line.startsWith('transferred'))).toEqual(['transferred 180', 'transferred 200']);
  await golden('transfer-by-us', 'RFC 5359 §2.4 Transfer, Unattended: as who transfers');
});

test('RFC 5359 §2.5 the desk has asked carol, and passes the device on into that call', async () => {
  const { clock, network, golden, door } = stage();
  const far = farEnd(network);
  const third = farEnd(network, { address: carol, tag: 'carol' });
  const phone = door({ settings: { maxCalls: 2 } });
  phone.onTransfer = ({ target, headers }, answer) => {
    const tell = answer.accept();
    const handler = phone.handler();
    phone.call = phone.userAgent.call(
      { target, headers, body: sdp('offer') },
      {
        ...handler,
        onAnswered: body => {
          handler.onAnswered(body);
          tell(200);
          first.hangUp();
        },
      },
    );
  };
  const first = phone.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  const asked = encodeURIComponent('call-of-the-desk;to-tag=carol;from-tag=desk');
  far.say('REFER', [`Refer-To: <sip:carol@192.0.2.30?Replaces=${asked}>`, 'Referred-By: <sip:desk@192.0.2.10>']);
  clock.advance(1_000);
  expect(third.peer.requests('INVITE')[0]!.headers.get('Replaces')).toBe('call-of-the-desk;to-tag=carol;from-tag=desk');
  phone.call!.hangUp();
  clock.advance(1_000);
  await golden('transfer-attended', 'RFC 5359 §2.5 Transfer, Attended: as who is transferred (RFC 3891)');
});

test('RFC 5359 §2.5, §2.15 carol takes the place of the desk, which has parked the call or passed it on', async () => {
  const { clock, network, golden, phone, far, first } = talking({ settings: { maxCalls: 2 } });
  phone.onInvite = ({ call, replaces: replaced }) => {
    call.accept(sdp('answer'));
    if (replaced === first) replaced.hangUp();
  };
  const caller = new ScriptedPeer(network, carol);
  caller.onRequest = received => received.method !== 'ACK' && caller.reply(received, 200);
  caller.say(invite({ more: [`Replaces: ${replaces(far)}`, 'Require: replaces'] }), front);
  clock.advance(10);
  caller.say(
    request('ACK sip:front@192.0.2.20:5060', {
      via: '192.0.2.30:5060;branch=z9hG4bK-ack',
      from: '<sip:carol@192.0.2.30>;tag=carol',
      to: caller.responses(200)[0]!.headers.get('To')!,
      callId: 'call-of-carol',
      cseq: '1 ACK',
    }),
  );
  clock.advance(1_000);
  expect(first.state).toBe('ended');
  phone.call!.hangUp();
  clock.advance(1_000);
  await golden(
    'call-replaced',
    'RFC 5359 §2.5 Transfer, Attended, §2.15 Call Park: as who is left to another (RFC 3891)',
  );
});

test('RFC 5359 §2.6 a transfer by text: the device notes it, and calls nobody', async () => {
  const { clock, golden, phone, far } = talking({ trusts: ['192.0.2.10'] });
  far.say('MESSAGE', ['Content-Type: text/plain'], 'please call sip:carol@192.0.2.30');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toContain('message please call sip:carol@192.0.2.30');
  await golden('transfer-by-text', 'RFC 5359 §2.6 Transfer, Instant Messaging: as who is asked to call another');
});

test('RFC 5359 §2.7 to §2.9, §2.12 the call rings at the desk, then elsewhere, and is answered there', async () => {
  const { clock, network, golden, door } = stage();
  const { peer } = farEnd(network, { answer: () => {} });
  farEnd(network, { address: carol });
  const phone = door();
  phone.dial('sip:desk@192.0.2.10');
  clock.advance(10);
  const [received] = peer.requests('INVITE');
  const at = (host: string) => [['Contact', `<sip:desk@${host}>`]] as const;
  peer.reply(received!, 180, { headers: at('192.0.2.10'), tag: 'desk' });
  clock.advance(10_000);
  peer.reply(received!, 181, { tag: 'proxy' });
  peer.reply(received!, 180, { headers: at('192.0.2.30'), tag: 'peer' });
  clock.advance(2_000);
  peer.reply(received!, 200, { headers: at('192.0.2.30'), tag: 'peer', body: sdp('answer') });
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toEqual(['progress 180', 'progress 181', 'progress 180', 'answered answer', 'ended by us']);
  await golden('call-forwarded', 'RFC 5359 §2.7 to §2.9 Call Forwarding, §2.12 Find-Me: as who calls');
});

test('RFC 5359 §2.10 the desk joins a third: for the device the desk has become a conference', async () => {
  const { clock, golden, phone, far } = talking();
  far.peer.onRequest = received => received.method !== 'ACK' && far.peer.reply(received, 200);
  far.say('INVITE', ['Contact: <sip:conference@192.0.2.10>;isfocus'], 'mixed sound');
  clock.advance(10);
  far.say('ACK');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toContain('offer mixed sound');
  expect(far.peer.requests('BYE')[0]!.uri).toBe('sip:conference@192.0.2.10');
  await golden('conference-added', 'RFC 5359 §2.10 3-Way Conference, Third Party Is Added: as who is in the call');
});

test('RFC 5359 §2.11 who insists on joining a call of the device is told that it cannot be joined', async () => {
  const { clock, network, golden, phone, far } = talking();
  const caller = new ScriptedPeer(network, carol);
  caller.say(invite({ more: [`Join: ${replaces(far)}`, 'Require: join'] }), front);
  clock.advance(10);
  caller.say(
    request('ACK sip:front@192.0.2.20', {
      via: '192.0.2.30:5060;branch=z9hG4bK-invite',
      from: '<sip:carol@192.0.2.30>;tag=carol',
      to: caller.responses(420)[0]!.headers.get('To')!,
      callId: 'call-of-carol',
      cseq: '1 ACK',
    }),
  );
  clock.advance(1_000);
  expect(caller.statuses).toEqual([420]);
  phone.call!.hangUp();
  clock.advance(1_000);
  await golden('conference-join', 'RFC 5359 §2.11 3-Way Conference, Third Party Joins: refused (RFC 3911)');
});

test('RFC 5359 §2.13, §2.14 a proxy that screens calls refuses it', async () => {
  const { clock, network, golden, door } = stage();
  const { peer } = farEnd(network, {
    answer: received => peer.reply(received, 403, { reason: 'Screening failure', tag: 'proxy' }),
  });
  const phone = door();
  phone.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  expect(phone.heard).toEqual(['ended by refusal 403']);
  await golden('call-screened', 'RFC 5359 §2.13, §2.14 Call Management: as who calls');
});

test('RFC 5359 §2.16 carol picks up the call that rings at the desk', async () => {
  const { clock, network, golden, door } = stage();
  const far = farEnd(network, {
    answer: received => far.peer.reply(received, 180, { headers: [['Contact', '<sip:desk@192.0.2.10>']], tag: 'peer' }),
  });
  const phone = door({ settings: { maxCalls: 2 } });
  const first = phone.dial('sip:desk@192.0.2.10');
  phone.onInvite = ({ call, replaces: replaced }) => {
    call.accept(sdp('answer'));
    replaced?.hangUp();
  };
  far.peer.onRequest = cancelling(far.peer, far.peer.onRequest);
  clock.advance(5_000);
  const caller = new ScriptedPeer(network, carol);
  caller.onRequest = received => received.method !== 'ACK' && caller.reply(received, 200);
  caller.say(invite({ more: [`Replaces: ${replaces(far)};early-only`] }), front);
  clock.advance(10);
  caller.say(
    request('ACK sip:front@192.0.2.20:5060', {
      via: '192.0.2.30:5060;branch=z9hG4bK-ack',
      from: '<sip:carol@192.0.2.30>;tag=carol',
      to: caller.responses(200)[0]!.headers.get('To')!,
      callId: 'call-of-carol',
      cseq: '1 ACK',
    }),
  );
  clock.advance(1_000);
  expect(first.state).toBe('ended');
  phone.call!.hangUp();
  clock.advance(1_000);
  await golden('call-picked-up', 'RFC 5359 §2.16 Call Pickup: as who calls (RFC 3891)');
});

/** Answers CANCEL and ends its INVITE; anything else as before. */
function cancelling(peer: ScriptedPeer, before: ScriptedPeer['onRequest']): ScriptedPeer['onRequest'] {
  return received => {
    if (received.method !== 'CANCEL') return before(received);
    peer.reply(received, 200);
    peer.reply(peer.requests('INVITE')[0]!, 487);
  };
}

test('RFC 5359 §2.18 click to dial: nobody outside a call has the device call somebody', async () => {
  const { clock, network, golden, door } = stage();
  const phone = door();
  const clicker = new ScriptedPeer(network, desk);
  clicker.say(
    request('REFER sip:front@192.0.2.20', {
      via: '192.0.2.10:5060;branch=z9hG4bK-refer',
      from: '<sip:web@192.0.2.10>;tag=web',
      to: '<sip:front@192.0.2.10>',
      callId: 'click',
      cseq: '1 REFER',
      more: ['Contact: <sip:web@192.0.2.10>', 'Refer-To: <sip:carol@192.0.2.30>'],
    }),
    front,
  );
  clock.advance(1_000);
  expect(clicker.statuses).toEqual([403]);
  expect(phone.heard).toEqual([]);
  await golden('click-to-dial', 'RFC 5359 §2.18 Click to Dial: refused; the device is asked over its own interfaces');
});
