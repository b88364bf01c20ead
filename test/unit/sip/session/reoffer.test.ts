/** Our own re-INVITEs: answered, refused, crossed by the peer's, or met by silence (RFC 3261 §14.1). */
import { describe, expect, test } from 'vitest';
import { LossyNetwork, presets } from '../../../sim/lossy-network.ts';
import type { ScriptedPeer } from '../../../sim/scripted-peer.ts';
import { seeded } from '../../../sim/seeded.ts';
import { Phone, sdp } from '../../../sim/sip-phone.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';
import { request, stage } from '../stage.ts';

const contact = [['Contact', '<sip:peer@192.0.2.2>']] as const;

/** A call that talks; the re-INVITEs are answered as the test says. */
function reoffered(answer: (peer: ScriptedPeer, count: number) => number) {
  const { peer, phone, ...rest } = stage();
  let count = 0;
  peer.onRequest = received => {
    if (received.method === 'BYE') peer.reply(received, 200);
    if (received.method !== 'INVITE') return;
    const status = count === 0 ? 200 : answer(peer, count);
    if (status !== 0)
      peer.reply(received, status, { headers: contact, ...(status === 200 && { body: sdp('answer') }) });
    count++;
  };
  phone.dial('sip:peer@192.0.2.2');
  rest.clock.advance(10);
  phone.call!.reoffer(sdp('new offer'));
  rest.clock.advance(10);
  return { peer, phone, ...rest };
}

test('an answer is told and acknowledged with the number of its INVITE', () => {
  const { peer, phone } = reoffered(() => 200);
  expect(phone.heard.at(-1)).toBe('reoffered answer');
  expect(peer.requests('ACK').map(({ headers }) => headers.get('CSeq'))).toEqual(['1 ACK', '2 ACK']);
});

test('a refusal is told, and the call goes on', () => {
  const { phone } = reoffered(() => 488);
  expect(phone.heard.at(-1)).toBe('reoffered 488');
  expect(phone.call!.state).toBe('confirmed');
});

test.each([481, 408])('%i says that the dialog is gone: BYE, and the call has ended', status => {
  const { clock, peer, phone, userAgent } = reoffered(() => status);
  clock.advance(10);
  expect(peer.requests('BYE').length).toBe(1);
  expect(phone.heard.at(-1)).toMatch(/^ended by failure/);
  expect(userAgent.alive.calls).toBe(0);
});

test('silence ends the call', () => {
  const { clock, phone } = reoffered(() => 0);
  clock.advance(33_000);
  expect(phone.heard.at(-1)).toBe('ended by failure no answer from 192.0.2.2:5060');
});

test('491 is tried again after 2.1 to 4 s by the side that chose the Call-ID', () => {
  const { clock, peer, phone } = reoffered((_, count) => (count === 1 ? 491 : 200));
  clock.advance(2_000);
  expect(peer.requests('INVITE').length).toBe(2);
  clock.advance(2_010);
  expect(peer.requests('INVITE').length).toBe(3);
  expect(phone.heard.at(-1)).toBe('reoffered answer');
});

test('491 for ever is told after five attempts', () => {
  const { clock, peer, phone } = reoffered(() => 491);
  clock.advance(30_000);
  expect(peer.requests('INVITE').length).toBe(6);
  expect(phone.heard.at(-1)).toBe('reoffered 491');
});

test('a second offer before the answer to the first is ignored', () => {
  const { clock, peer, phone } = reoffered(() => 0);
  phone.call!.reoffer(sdp('newer'));
  clock.advance(10);
  expect(peer.requests('INVITE').length).toBe(2);
});

test('a 200 that is lost when the peer hangs up leaves nothing waiting for it', () => {
  const { clock, peer, say, userAgent } = reoffered(() => 100);
  const { headers } = peer.requests('INVITE')[0]!;
  const inside = { from: `${headers.get('To')};tag=peer`, to: headers.get('From')!, callId: headers.get('Call-ID')! };
  say(request({ method: 'BYE', ...inside }));
  expect(peer.requests('CANCEL').length).toBe(1);
  clock.advance(70_000);
  expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('hanging up while 491 is waited out leaves nothing armed', () => {
  const { clock, peer, phone } = reoffered(() => 491);
  phone.call!.hangUp();
  clock.advance(60_000);
  expect(peer.requests('INVITE').length).toBe(2);
  expect(phone.heard.at(-1)).toBe('ended by us');
  expect(clock.armed).toEqual([]);
});

describe('two phones', () => {
  test.each([1, 2, 3, 4, 5])('that offer at the same moment both get through (seed %i)', seed => {
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(seed), presets.perfect);
    const alice = new Phone(clock, network, { address: { host: '192.0.2.1', port: 5060 }, seed });
    const bob = new Phone(clock, network, { address: { host: '192.0.2.2', port: 5060 }, seed: seed + 100 });
    alice.dial('sip:user@192.0.2.2');
    clock.advance(10);
    bob.call!.accept(sdp('answer'));
    clock.advance(10);
    alice.call!.reoffer(sdp('from alice'));
    bob.call!.reoffer(sdp('from bob'));
    clock.advance(20_000);
    for (const phone of [alice, bob]) {
      expect(phone.heard.filter(line => line.startsWith('reoffered'))).toEqual(['reoffered new answer']);
      expect(phone.call!.state).toBe('confirmed');
    }
    expect(alice.heard).toContain('offer from bob');
    expect(bob.heard).toContain('offer from alice');
  });
});
