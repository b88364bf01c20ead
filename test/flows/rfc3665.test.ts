/** Flows of RFC 3665 as a device takes part in them, besides those of flows.test.ts. */
import { expect, test } from 'vitest';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { sdp } from '../sim/sip-phone.ts';
import { carol, desk, farEnd, front, invite, names, request, stage, twoPhones } from './stage.ts';

test('RFC 3665 §2.2 an address that the registrar sees otherwise replaces the one it was told', async () => {
  const { clock, network, golden, door } = stage();
  const registrar = new ScriptedPeer(network, desk);
  registrar.onRequest = received => {
    const [newest] = received.headers.all('Contact');
    const via = received.headers.get('Via')!.replace(/;rport\b/, ';rport=40001;received=203.0.113.7');
    received.headers.set('Via', via);
    registrar.reply(received, 200, { headers: [['Contact', `${newest};expires=300`]] });
  };
  const phone = door({
    account: { aor: 'sip:front@192.0.2.10', register: true, expiresMs: 300_000, keepAlive: 'off' },
  });
  clock.advance(1_000);
  expect(phone.registrations.at(-1)).toMatchObject({ is: 'registered', contact: 'sip:front@203.0.113.7:40001' });
  await golden('registration-update', 'RFC 3665 §2.2 Update of Contact List: the address behind a NAT (RFC 3581)');
});

test('RFC 3665 §2.5 a registrar that wants longer registrations', async () => {
  const { clock, network, golden, door } = stage();
  const registrar = new ScriptedPeer(network, desk);
  registrar.onRequest = received => {
    if (received.headers.get('Expires') === '60') registrar.reply(received, 423, { headers: [['Min-Expires', '600']] });
    else registrar.reply(received, 200, { headers: [['Contact', `${received.headers.get('Contact')};expires=600`]] });
  };
  const phone = door({
    account: { aor: 'sip:front@192.0.2.10', register: true, expiresMs: 60_000, keepAlive: 'off' },
  });
  clock.advance(1_000);
  expect(phone.registrations.at(-1)).toMatchObject({ is: 'registered', untilMs: 600_004 });
  await golden('registration-too-brief', 'A registrar that wants longer registrations: 423 (RFC 3261 §10.2.8)');
});

test('RFC 3665 §3.2 a call comes through two proxies that stay in the route', async () => {
  const { clock, network, golden, door } = stage({ ...names, '192.0.2.10:5060': 'proxy' });
  const phone = door();
  const proxy = new ScriptedPeer(network, desk);
  const routes = ['Record-Route: <sip:192.0.2.10;lr>', 'Record-Route: <sip:ss1.example.org;lr>'];
  proxy.say(
    invite({
      via: '192.0.2.10:5060;branch=z9hG4bK-two\nVia: SIP/2.0/UDP ss1.example.org;branch=z9hG4bK-one\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-carol',
      more: routes,
    }),
    front,
  );
  clock.advance(1_000);
  phone.call!.accept(sdp('answer'));
  clock.advance(100);
  const to = proxy.responses(200)[0]!.headers.get('To')!;
  proxy.say(
    request('ACK sip:front@192.0.2.20:5060', {
      via: '192.0.2.10:5060;branch=z9hG4bK-ack',
      from: '<sip:carol@192.0.2.30>;tag=carol',
      to,
      callId: 'call-of-carol',
      cseq: '1 ACK',
    }),
    front,
  );
  clock.advance(1_000);
  proxy.onRequest = received => proxy.reply(received, 200);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(proxy.requests('BYE')[0]!.headers.all('Route')).toEqual(['<sip:192.0.2.10;lr>', '<sip:ss1.example.org;lr>']);
  await golden('call-from-two-proxies', 'RFC 3665 §3.2 Session Establishment through Two Proxies, called');
});

test('RFC 3665 §3.3 each of two proxies wants a password', async () => {
  const { clock, network, golden, door } = stage({ ...names, '192.0.2.10:5060': 'proxy' });
  const challenge = (realm: string) =>
    [
      'Proxy-Authenticate',
      `Digest realm="${realm}", nonce="nonce-of-${realm}", algorithm=SHA-256, qop="auth"`,
    ] as const;
  const { peer } = farEnd(network, {
    answer: received => {
      const known = received.headers.all('Proxy-Authorization');
      const missing = ['atlanta', 'biloxi'].find(realm => !known.some(line => line.includes(`realm="${realm}"`)));
      if (missing !== undefined) peer.reply(received, 407, { headers: [challenge(missing)], tag: missing });
      else peer.reply(received, 200, { headers: [['Contact', '<sip:desk@192.0.2.30>']], body: sdp('answer') });
    },
  });
  // Where the dialog leads: to the far end itself.
  farEnd(network, { address: carol });
  const phone = door();
  phone.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toEqual(['answered answer', 'ended by us']);
  await golden('call-two-challenges', 'RFC 3665 §3.3 Session Establishment with Multiple Proxy Authentication');
});

test('RFC 3665 §3.6 a redirection is followed', async () => {
  const { clock, network, golden, door } = stage();
  const redirect = new ScriptedPeer(network, desk);
  redirect.onRequest = received =>
    received.method === 'INVITE' && redirect.reply(received, 302, { headers: [['Contact', '<sip:desk@192.0.2.30>']] });
  farEnd(network, { address: carol });
  const phone = door();
  phone.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toEqual(['answered answer', 'ended by us']);
  await golden('call-redirected', 'RFC 3665 §3.6 Session via Redirect Server');
});

test('RFC 3665 §3.6 a call comes without an offer: ours is in the 200, the answer in the ACK', async () => {
  const { clock, network, golden, door } = stage();
  const phone = door();
  const caller = new ScriptedPeer(network, carol);
  caller.onRequest = received => caller.reply(received, 200);
  caller.say(invite({ body: '' }), front);
  clock.advance(1_000);
  phone.call!.accept(sdp('our offer'));
  clock.advance(100);
  caller.say(
    request('ACK sip:front@192.0.2.20:5060', {
      via: '192.0.2.30:5060;branch=z9hG4bK-ack',
      from: '<sip:carol@192.0.2.30>;tag=carol',
      to: caller.responses(200)[0]!.headers.get('To')!,
      callId: 'call-of-carol',
      cseq: '1 ACK',
      body: 'their answer',
    }),
  );
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(1_000);
  expect(phone.heard).toEqual(['invite', 'answered their answer', 'ended by us']);
  await golden('call-offer-in-200', 'RFC 3665 §3.6 Session with SDP in ACK, called');
});

test('RFC 3665 §3.11 temporarily unavailable', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  telephone.onInvite = ({ call }) => call.ring();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(10_000);
  telephone.call!.refuse(480);
  clock.advance(1_000);
  expect(door.heard).toEqual(['progress 180', 'ended by refusal 480']);
  await golden('call-unavailable', 'RFC 3665 §3.11 Unsuccessful Temporarily Unavailable');
});
