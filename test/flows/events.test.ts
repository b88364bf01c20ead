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
