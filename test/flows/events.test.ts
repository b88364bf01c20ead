/** Golden ladders of what goes on beside calls: who watches us, whom we watch, what we publish and say. */
import { expect, test } from 'vitest';
import { LossyNetwork, presets } from '../sim/lossy-network.ts';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { seeded } from '../sim/seeded.ts';
import { Phone, type PhoneOptions, sdp } from '../sim/sip-phone.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { Ladder } from './ladder.ts';

const front = { host: '192.0.2.20', port: 5060 };
const pbx = { host: '192.0.2.10', port: 5060 };
const carol = { host: '192.0.2.30', port: 5060 };
const names = { '192.0.2.20:5060': 'front', '192.0.2.10:5060': 'pbx', '192.0.2.30:5060': 'carol' };
const account = { aor: 'sip:front@192.0.2.10', displayName: 'Front door', password: 'secret' };

function stage(options: Partial<PhoneOptions> = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const ladder = new Ladder(clock, network, names);
  const golden = (file: string, title: string) =>
    expect(ladder.print(title)).toMatchFileSnapshot(`${import.meta.dirname}/${file}.flow`);
  const door = new Phone(clock, network, { address: front, account, trusts: [pbx.host], ...options });
  const peer = new ScriptedPeer(network, pbx);
  peer.onRequest = received => peer.reply(received, 200);
  const subscribe = (expires: number, sequence = 1, to = '<sip:front@192.0.2.10>') =>
    peer.say(
      `SUBSCRIBE sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-subscribe-${sequence}
Max-Forwards: 70
From: <sip:desk@192.0.2.10>;tag=desk
To: ${to}
Call-ID: lamp
CSeq: ${sequence} SUBSCRIBE
Contact: <sip:desk@192.0.2.10>
Event: dialog
Accept: application/dialog-info+xml
Expires: ${expires}
Content-Length: 0

`,
      front,
    );
  return { clock, network, golden, door, peer, subscribe };
}

test('a lamp that follows the calls of the device, until it is switched off (RFC 6665, RFC 4235)', async () => {
  const { clock, network, golden, door, peer, subscribe } = stage();
  const caller = new Phone(clock, network, { address: carol, seed: 2, account: { aor: 'sip:carol@192.0.2.30' } });
  subscribe(600);
  clock.advance(2_000);
  caller.dial('sip:front@192.0.2.20');
  clock.advance(2_000);
  door.call!.accept(sdp('answer'));
  clock.advance(2_000);
  caller.call!.hangUp();
  clock.advance(2_000);
  subscribe(0, 2, peer.responses(200)[0]!.headers.get('To'));
  clock.advance(1_000);
  expect(peer.requests('NOTIFY').length).toBe(5);
  await golden('watched', 'A lamp follows the calls of the device (RFC 6665, RFC 4235)');
});

test('a question that is answered once (RFC 6665 §4.4.3)', async () => {
  const { clock, golden, peer, subscribe } = stage();
  subscribe(0);
  clock.advance(2_000);
  expect(peer.requests('NOTIFY').length).toBe(1);
  await golden('watched-once', 'A question about the device, answered once (RFC 6665 §4.4.3)');
});

test('a subscription of ours: 423, its dialog made by the NOTIFY, refresh, end (RFC 6665 §4.1)', async () => {
  const { clock, golden, door, peer } = stage();
  const contact = ['Contact', '<sip:desk@192.0.2.10>'] as const;
  let sequence = 0;
  peer.onRequest = received => {
    const { headers } = received;
    const expires = Number(headers.get('Expires'));
    if (expires > 0 && expires < 120) return peer.reply(received, 423, { headers: [['Min-Expires', '120']] });
    const state = expires === 0 ? 'terminated;reason=timeout' : `active;expires=${expires}`;
    sequence++;
    peer.say(`NOTIFY sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-notify-${sequence}
Max-Forwards: 70
From: <sip:desk@192.0.2.10>;tag=desk
To: ${headers.get('From')}
Call-ID: ${headers.get('Call-ID')}
CSeq: ${sequence} NOTIFY
Contact: <sip:desk@192.0.2.10>
Event: presence
Subscription-State: ${state}
Content-Length: 0

`);
    peer.reply(received, 200, { headers: [['Expires', String(expires)], contact], tag: 'desk' });
  };
  const heard: string[] = [];
  const end = door.userAgent.subscribe(
    { target: 'sip:desk@192.0.2.10', event: 'presence', accept: ['application/pidf+xml'], expiresMs: 60_000 },
    { onState: ({ is }) => heard.push(is), onNotify() {} },
  );
  clock.advance(120_000);
  end();
  clock.advance(1_000);
  expect(heard).toEqual(['asking', 'active', 'active']);
  await golden('watching', 'A subscription of ours: 423, refresh, end (RFC 6665 §4.1)');
});

test('the presence of the device, published, changed, forgotten by the server, taken back (RFC 3903)', async () => {
  const { clock, golden, door, peer } = stage({ account: { ...account, publish: true } });
  let count = 0;
  peer.onRequest = received => {
    if (received.method !== 'PUBLISH') return peer.reply(received, 200);
    count++;
    if (count === 3) return peer.reply(received, 412);
    peer.reply(received, 200, {
      headers: [
        ['SIP-ETag', `state-${count}`],
        ['Expires', '600'],
      ],
    });
  };
  clock.advance(5_000);
  peer.say(
    `INVITE sip:front@192.0.2.20 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-invite
Max-Forwards: 70
From: <sip:desk@192.0.2.10>;tag=desk
To: <sip:front@192.0.2.10>
Call-ID: call
CSeq: 1 INVITE
Contact: <sip:desk@192.0.2.10>
Content-Length: 0

`,
    front,
  );
  clock.advance(2_000);
  door.call!.refuse(486);
  clock.advance(5_000);
  door.userAgent.stop(2_000, () => {});
  clock.advance(1_000);
  expect(count).toBe(5);
  await golden('published', 'The presence of the device: PUBLISH, 412, removal (RFC 3903)');
});

test('a text to the desk, by somebody who must say who he is (RFC 3428)', async () => {
  const { clock, golden, door, peer } = stage();
  const challenge = 'Digest realm="192.0.2.10", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=SHA-256, qop="auth"';
  peer.onRequest = received => {
    if (received.headers.has('Proxy-Authorization')) peer.reply(received, 202);
    else peer.reply(received, 407, { headers: [['Proxy-Authenticate', challenge]] });
  };
  let told = '';
  door.userAgent.sendText({ target: 'sip:desk@192.0.2.10', text: 'Somebody is at the gate.' }, result => {
    told = JSON.stringify(result);
  });
  clock.advance(1_000);
  expect(told).toBe('{"sent":true,"status":202}');
  await golden('text', 'A text to the desk: MESSAGE, 407, 202 (RFC 3428)');
});
