/** Golden ladders: what goes over the wire, message by message. `npx vitest run test/flows -u` writes them anew. */
import { describe, expect, test } from 'vitest';
import { answerChallenge } from '../../firmware/sip/digest/client.ts';
import { LossyNetwork, presets } from '../sim/lossy-network.ts';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { seeded } from '../sim/seeded.ts';
import { sipDesk } from '../sim/sip-desk.ts';
import { Phone, sdp } from '../sim/sip-phone.ts';
import { StreamNetwork } from '../sim/stream-network.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { Ladder } from './ladder.ts';
import { account, carol, desk, front, names, stage, twoPhones } from './stage.ts';

test('RFC 3665 §2.1 successful new registration, and §2.4 its cancellation', async () => {
  const { clock, network, golden } = stage();
  sipDesk(clock, network, desk);
  const door = new Phone(clock, network, { address: front, account: { ...account, register: true } });
  clock.advance(1_000);
  door.userAgent.stop(2_000, () => {});
  clock.advance(1_000);
  expect(door.registrations.map(({ is }) => is)).toEqual(['registering', 'registered', 'unregistered']);
  await golden('registration', 'RFC 3665 §2.1 Successful New Registration, §2.4 Cancellation of Registration');
});

test('RFC 3665 §2.5 unsuccessful registration', async () => {
  const { clock, network, golden } = stage();
  sipDesk(clock, network, desk);
  const door = new Phone(clock, network, {
    address: front,
    account: { ...account, register: true, password: 'wrong' },
  });
  clock.advance(1_000);
  expect(door.registrations.at(-1)).toMatchObject({ is: 'failed', status: 401 });
  await golden('registration-wrong-password', 'RFC 3665 §2.5 Unsuccessful Registration');
});

test('RFC 3665 §3.1 session establishment', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(2_000);
  telephone.call!.accept(sdp('answer'));
  clock.advance(5_000);
  telephone.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard.at(-1)).toBe('ended by them');
  await golden('call', 'RFC 3665 §3.1 Successful Session Establishment');
});

test('RFC 3665 §3.7 session with re-INVITE', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(2_000);
  telephone.call!.accept(sdp('answer'));
  clock.advance(1_000);
  telephone.call!.reoffer(sdp('hold'));
  clock.advance(1_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(telephone.heard).toContain('reoffered new answer');
  await golden('re-invite', 'RFC 3665 §3.7 Session with re-INVITE');
});

test('RFC 3665 §3.8 no answer: the caller gives up', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(20_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(telephone.heard.at(-1)).toBe('ended by them');
  await golden('call-cancelled', 'RFC 3665 §3.8 Unsuccessful No Answer');
});

test('RFC 3665 §3.9 busy', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  telephone.onInvite = ({ call }) => call.refuse(486);
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  expect(door.heard).toEqual(['ended by refusal 486']);
  await golden('call-busy', 'RFC 3665 §3.9 Unsuccessful Busy');
});

test('RFC 3665 §3.10 no response from the user agent', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  telephone.unplug();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(40_000);
  expect(door.heard).toEqual(['ended by failure no answer from 192.0.2.10:5060']);
  await golden('call-unanswered', 'RFC 3665 §3.10 Unsuccessful No Response from User Agent');
});

test('a call through a proxy that asks for credentials and stays in the route (RFC 3665 §3.2, §3.3)', async () => {
  const { clock, network, golden } = stage();
  const proxy = new ScriptedPeer(network, desk);
  const challenge = 'Digest realm="desk.example", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=SHA-256, qop="auth"';
  proxy.onRequest = request => {
    if (request.method === 'BYE') proxy.reply(request, 200);
    if (request.method !== 'INVITE') return;
    if (!request.headers.has('Proxy-Authorization')) {
      proxy.reply(request, 407, { headers: [['Proxy-Authenticate', challenge]], tag: 'proxy' });
      return;
    }
    proxy.reply(request, 180, { headers: [['Contact', '<sip:desk@192.0.2.30>']] });
    const route = '<sip:192.0.2.10;lr>';
    request.headers.add('Record-Route', route);
    proxy.reply(request, 200, { headers: [['Contact', '<sip:desk@192.0.2.30>']], body: sdp('answer') });
  };
  const door = new Phone(clock, network, {
    address: front,
    account: { ...account, outboundProxy: 'sip:192.0.2.10' },
  });
  door.dial('sip:desk@example.org');
  clock.advance(1_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['progress 180', 'answered answer', 'ended by us']);
  await golden('call-through-proxy', 'A call through a proxy with credentials (RFC 3665 §3.2, §3.3)');
});

test('a call that rings in two places and is answered in both: the later one is ended (RFC 3261 §13.2.2.4)', async () => {
  const { clock, network, golden } = stage();
  const proxy = new ScriptedPeer(network, desk);
  proxy.onRequest = request => {
    if (request.method === 'BYE') proxy.reply(request, 200);
    if (request.method !== 'INVITE') return;
    for (const place of ['office', 'kitchen']) {
      proxy.reply(request, 180, { headers: [['Contact', `<sip:${place}@192.0.2.10>`]], tag: place });
    }
    for (const place of ['office', 'kitchen']) {
      const headers = [['Contact', `<sip:${place}@192.0.2.10>`]] as const;
      proxy.reply(request, 200, { headers, tag: place, body: sdp(`answer of the ${place}`) });
    }
  };
  const door = new Phone(clock, network, { address: front, account });
  door.dial('sip:everybody@192.0.2.10');
  clock.advance(1_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['progress 180', 'progress 180', 'answered answer of the office', 'ended by us']);
  await golden('call-forked', 'A call that is answered in two places (RFC 3261 §13.2.2.4)');
});

test('a CANCEL that crosses the 200 on its way (RFC 3261 §9.1, §15)', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  door.dial('sip:desk@192.0.2.10');
  clock.advance(2_000);
  telephone.call!.accept(sdp('answer'));
  door.call!.hangUp();
  clock.advance(1_000);
  expect([door.heard.at(-1), telephone.heard.at(-1)]).toEqual(['ended by us', 'ended by them']);
  await golden('call-crossed', 'A CANCEL that crosses the 200 on its way (RFC 3261 §9.1, §15)');
});

test('a key by INFO in a call, and an Info Package that nobody knows (RFC 6086 §4.2.2)', async () => {
  const { clock, network, golden } = stage();
  const telephone = new ScriptedPeer(network, desk);
  telephone.onRequest = received => {
    if (received.method === 'INVITE')
      telephone.reply(received, 200, { headers: [['Contact', '<sip:desk@192.0.2.10>']], body: sdp('answer') });
    else if (received.method !== 'ACK') telephone.reply(received, 200);
  };
  const door = new Phone(clock, network, { address: front, account });
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  const { headers } = telephone.requests('INVITE')[0]!;
  const inside = (sequence: number, more: string, body: string) =>
    `INFO sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-info-${sequence}
Max-Forwards: 70
From: ${headers.get('To')};tag=peer
To: ${headers.get('From')}
Call-ID: ${headers.get('Call-ID')}
CSeq: ${sequence} INFO
${more}
Content-Length: ${body.length}

${body}`;
  telephone.say(inside(1, 'Content-Type: application/dtmf-relay', 'Signal=5 Duration=160'.replace(' ', '\r\n')));
  clock.advance(1_000);
  telephone.say(inside(2, 'Info-Package: weather\nContent-Type: text/plain', 'rain'));
  clock.advance(1_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['answered answer', 'key 5 160', 'ended by us']);
  await golden('info', 'A key by INFO, and an Info Package that nobody knows (RFC 6086 §4.2.2)');
});

test('a session that is refused as too short, asked for again, and kept alive by UPDATE (RFC 4028, RFC 3311)', async () => {
  const { clock, network, golden } = stage();
  const telephone = new ScriptedPeer(network, desk);
  const contact = ['Contact', '<sip:desk@192.0.2.10>'] as const;
  telephone.onRequest = received => {
    const asked = Number.parseInt(received.headers.get('Session-Expires') ?? '0', 10);
    const agreed = [contact, ['Session-Expires', '600;refresher=uac'], ['Allow', 'INVITE, ACK, BYE, UPDATE']] as const;
    if (received.method === 'INVITE' && asked < 600)
      telephone.reply(received, 422, { headers: [['Min-SE', '600']], tag: 'first' });
    else if (received.method === 'INVITE') telephone.reply(received, 200, { headers: agreed, body: sdp('answer') });
    else if (received.method === 'UPDATE') telephone.reply(received, 200, { headers: agreed });
    else if (received.method === 'BYE') telephone.reply(received, 200);
  };
  const door = new Phone(clock, network, { address: front, account, settings: { sessionExpiresMs: 120_000 } });
  door.dial('sip:desk@192.0.2.10');
  clock.advance(320_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['answered answer', 'ended by us']);
  await golden('session-timer', 'A session kept alive: 422, UPDATE (RFC 4028, RFC 3311)');
});

test('an offer by UPDATE that meets ours: 491, and both go through (RFC 3311 §5.2)', async () => {
  const { clock, network, golden } = stage();
  const telephone = new ScriptedPeer(network, desk);
  const contact = ['Contact', '<sip:desk@192.0.2.10>'] as const;
  telephone.onRequest = received => {
    const { headers } = received;
    if (received.method === 'BYE') telephone.reply(received, 200);
    if (received.method !== 'INVITE') return;
    if (headers.get('CSeq') !== '2 INVITE') {
      telephone.reply(received, 200, { headers: [contact], body: sdp('answer') });
      return;
    }
    const update = (sequence: number) => `UPDATE sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-update-${sequence}
Max-Forwards: 70
From: ${headers.get('To')}
To: ${headers.get('From')}
Call-ID: ${headers.get('Call-ID')}
CSeq: ${sequence} UPDATE
Contact: <sip:desk@192.0.2.10>
Content-Type: application/sdp
Content-Length: 6

theirs`;
    telephone.say(update(1));
    telephone.reply(received, 491);
    clock.after(1_000, () => telephone.say(update(2)), 'finger');
  };
  const door = new Phone(clock, network, { address: front, account });
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  door.call!.reoffer(sdp('ours'));
  clock.advance(6_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['answered answer', 'offer theirs', 'reoffered answer', 'ended by us']);
  await golden('update-crossed', 'An offer by UPDATE that meets ours (RFC 3311 §5.2)');
});

test('early media that must arrive: 183, PRACK, and a 200 without a second answer (RFC 3262)', async () => {
  const { clock, golden, door, telephone } = twoPhones();
  telephone.onInvite = () => {};
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  telephone.call!.ring(sdp('early answer'));
  clock.advance(2_000);
  telephone.call!.accept(sdp('answer'));
  clock.advance(1_000);
  door.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['progress 183 early answer', 'answered', 'ended by us']);
  await golden('early-media', 'Early media that must arrive (RFC 3262)');
});

test('a look at the configuration is asked for by somebody who must say who he is (RFC 6665, RFC 7616)', async () => {
  const { clock, network, golden } = stage();
  const door = new Phone(clock, network, { address: front, account, trusts: [] });
  const notify = (sequence: number, more: string) =>
    `NOTIFY sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-notify-${sequence}
Max-Forwards: 70
From: <sip:pbx@192.0.2.10>;tag=notify
To: <sip:front@192.0.2.10>
Call-ID: notify
CSeq: ${sequence} NOTIFY
Event: check-sync;reboot=false
${more}Content-Length: 0

`;
  const pbx = new ScriptedPeer(network, desk);
  pbx.say(notify(1, ''), front);
  clock.advance(1_000);
  const challenge = pbx.responses(401)[0]!.headers.get('WWW-Authenticate')!;
  const answer = answerChallenge({
    challenges: [challenge],
    method: 'NOTIFY',
    uri: 'sip:front@192.0.2.20',
    username: 'front',
    password: 'secret',
    cnonce: 'c0ffee',
    nonceCount: 1,
    body: new Uint8Array(),
  });
  pbx.say(notify(2, `Authorization: ${answer!.header}\n`), front);
  clock.advance(1_000);
  expect(door.heard).toEqual(['check-sync sip:pbx@192.0.2.10 main false']);
  await golden('check-sync', 'A look at the configuration is asked for: NOTIFY check-sync, with a password');
});

test('a call is transferred without a word to the other side first (RFC 5359 §2.4, RFC 3515)', async () => {
  const { clock, network, golden } = stage();
  const door = new Phone(clock, network, { address: front, account, settings: { maxCalls: 2 } });
  const other = new Phone(clock, network, { address: carol, seed: 2, account: { aor: 'sip:carol@192.0.2.30' } });
  other.onInvite = ({ call }) => {
    call.ring();
    clock.after(1_000, () => call.accept(sdp('answer')), 'finger');
  };
  const telephone = new ScriptedPeer(network, desk);
  telephone.onRequest = received => {
    if (received.method === 'INVITE')
      telephone.reply(received, 200, { headers: [['Contact', '<sip:desk@192.0.2.10>']], body: sdp('answer') });
    else if (received.method !== 'ACK') telephone.reply(received, 200);
  };
  door.onTransfer = ({ target, headers }, answer) => {
    const first = door.call!;
    const tell = answer.accept();
    const handler = door.handler();
    door.call = door.userAgent.call(
      { target, headers, body: sdp('offer') },
      {
        ...handler,
        onProgress: status => tell(status),
        onAnswered: () => {
          tell(200);
          first.hangUp();
        },
      },
    );
  };
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  const { headers } = telephone.requests('INVITE')[0]!;
  telephone.say(`REFER sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-refer
Max-Forwards: 70
From: ${headers.get('To')};tag=peer
To: ${headers.get('From')}
Call-ID: ${headers.get('Call-ID')}
CSeq: 1 REFER
Contact: <sip:desk@192.0.2.10>
Refer-To: <sip:carol@192.0.2.30>
Referred-By: <sip:desk@192.0.2.10>
Content-Length: 0

`);
  clock.advance(5_000);
  other.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard.at(-1)).toBe('ended by them');
  await golden('transfer-blind', 'A call is transferred: REFER, NOTIFY (RFC 5359 §2.4, RFC 3515)');
});

test('a session over TCP, from registration to BYE', async () => {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const streams = new StreamNetwork(clock);
  const ladder = new Ladder(clock, network, names, streams);
  const { phone: pbx } = sipDesk(clock, network, desk, {}, { streams });
  pbx.onInvite = ({ call }) => call.accept(sdp('answer'));
  const overTcp = { ...account, register: true, transport: 'tcp' as const };
  const door = new Phone(clock, network, { address: front, account: overTcp, streams });
  clock.advance(1_000);
  door.dial('sip:desk@192.0.2.10');
  clock.advance(1_000);
  pbx.call!.hangUp();
  clock.advance(1_000);
  expect(door.heard).toEqual(['answered answer', 'ended by them']);
  await expect(ladder.print('Registration and session over TCP (RFC 3261 §18)')).toMatchFileSnapshot(
    `${import.meta.dirname}/call-over-tcp.flow`,
  );
});

test('RFC 3263 §4.3 a busy server, and the next one that DNS names', async () => {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const servers = [desk, { host: '192.0.2.11', port: 5060 }];
  const ladder = new Ladder(clock, network, { ...names, '192.0.2.11:5060': 'second' });
  const [first, second] = servers.map(address => new ScriptedPeer(network, address)) as [ScriptedPeer, ScriptedPeer];
  first.onRequest = request =>
    request.method === 'INVITE' && first.reply(request, 503, { headers: [['Retry-After', '60']] });
  second.onRequest = request => request.method === 'INVITE' && second.reply(request, 486);
  const door = new Phone(clock, network, { address: front, account, hosts: { 'pbx.example': servers } });
  door.dial('sip:desk@pbx.example');
  clock.advance(1_000);
  door.dial('sip:desk@pbx.example');
  clock.advance(1_000);
  expect(door.heard).toEqual(['ended by refusal 486', 'ended by refusal 486']);
  await expect(
    ladder.print('RFC 3263 §4.3 Failover to the Next Server, Which Is Asked First for a While'),
  ).toMatchFileSnapshot(`${import.meta.dirname}/server-failover.flow`);
});

test('RFC 3263 §4.3 a silent server is passed over, answers late, and is told that it is over', async () => {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const servers = [desk, { host: '192.0.2.11', port: 5060 }];
  const ladder = new Ladder(clock, network, { ...names, '192.0.2.11:5060': 'second' });
  const [first, second] = servers.map(address => new ScriptedPeer(network, address)) as [ScriptedPeer, ScriptedPeer];
  const accept = { headers: [['Contact', '<sip:desk@192.0.2.10>']] as const, body: sdp('late answer') };
  first.onRequest = request => request.method === 'BYE' && first.reply(request, 200);
  second.onRequest = request => request.method === 'INVITE' && second.reply(request, 180, { tag: 'second' });
  const door = new Phone(clock, network, { address: front, account, hosts: { 'pbx.example': servers } });
  door.dial('sip:desk@pbx.example');
  clock.advance(6_000);
  first.reply(first.requests('INVITE')[0]!, 200, accept);
  clock.advance(1_000);
  second.reply(second.requests('INVITE')[0]!, 486, { tag: 'second' });
  clock.advance(1_000);
  expect(door.heard).toEqual(['progress 180', 'ended by refusal 486']);
  await expect(ladder.print('RFC 3263 §4.3 A Silent Server Is Passed Over and Answers Late')).toMatchFileSnapshot(
    `${import.meta.dirname}/server-silent.flow`,
  );
});

describe('serial registration', () => {
  /** Two registrars; the first refuses, or says nothing, for so long. */
  function twoRegistrars(first: 'refuses' | 'is silent', forMs: number, afterwardsMs: number) {
    const { clock, network, golden } = stage();
    const servers = [desk, { host: '192.0.2.30', port: 5060 }].map(address => new ScriptedPeer(network, address));
    let isLost = true;
    for (const [index, server] of servers.entries()) {
      server.onRequest = request => {
        const headers = [['Contact', request.headers.get('Contact') ?? '']] as const;
        if (index > 0 || !isLost) server.reply(request, 200, { headers });
        else if (first === 'refuses') server.reply(request, 403);
      };
    }
    const accounts = ['192.0.2.10', '192.0.2.30'].map((host, index) => ({
      id: `account-${index}`,
      aor: `sip:front@${host}`,
      register: true,
      expiresMs: 300_000,
    }));
    new Phone(clock, network, { address: front, settings: { accounts, serialRegistration: true } });
    clock.advance(forMs);
    isLost = false;
    clock.advance(afterwardsMs);
    return golden;
  }

  test('the next account takes over while the first is lost, and steps back', async () => {
    const golden = twoRegistrars('refuses', 30_000, 60_000);
    await golden('registration-serial', 'Serial registration: the next account takes over, and steps back');
  });

  test('the next account takes over from a registrar that says nothing, and steps back when it answers at last', async () => {
    const golden = twoRegistrars('is silent', 10_000, 10_000);
    await golden('registration-silent', 'Serial registration: the next account takes over from a silent registrar');
  });
});

test('a caller is asked for a password (RFC 3261 §22.2, RFC 8760)', async () => {
  const { clock, network, golden } = stage();
  const callers = [{ username: 'desk', password: 'secret' }];
  const door = new Phone(clock, network, { address: front, account: { ...account, callers } });
  const telephone = new Phone(clock, network, {
    address: desk,
    seed: 2,
    account: { aor: 'sip:desk@192.0.2.10', password: 'secret' },
  });
  door.onInvite = ({ call }) => call.accept(sdp('answer'));
  telephone.dial('sip:front@192.0.2.20');
  clock.advance(1_000);
  telephone.call!.hangUp();
  clock.advance(1_000);
  expect(telephone.heard).toEqual(['answered answer', 'ended by us']);
  expect(door.invite!.authenticated).toEqual({ uri: 'sip:desk@192.0.2.10' });
  await golden('call-challenged', 'A caller is asked for a password (RFC 3261 §22.2, RFC 8760)');
});
