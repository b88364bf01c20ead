/**
 * Hostile datagrams against a user agent in the middle of its work: the torture messages of RFC 4475 and RFC 5118, and
 * messages of its own calls with seeded faults. It never throws (`strictLog` turns a caught fault into a failure), and
 * afterwards it still answers, ends, and leaves nothing behind.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectionLimit } from '../../firmware/sip/transport/connections.ts';
import { LossyNetwork, presets } from '../sim/lossy-network.ts';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { seeded } from '../sim/seeded.ts';
import { Phone, sdp } from '../sim/sip-phone.ts';
import { StreamNetwork } from '../sim/stream-network.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { request } from '../unit/sip/stage.ts';

const us = { host: '192.0.2.1', port: 5060 };
const them = { host: '192.0.2.2', port: 5060 };
const torture = join(import.meta.dirname, '../fixtures/torture');
const fixtures = globSync('rfc*/*', { cwd: torture })
  .filter(file => !file.endsWith('.md'))
  .sort();

function world() {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const phone = new Phone(clock, network, { address: us, settings: { maxCalls: 100 }, trusts: ['192.0.2.2'] });
  return { clock, network, phone };
}

function stillWorks({ clock, network, phone }: ReturnType<typeof world>) {
  const peer = new ScriptedPeer(network, { host: '192.0.2.3', port: 5060 });
  peer.say(request({ method: 'OPTIONS', callId: 'afterwards' }).replaceAll('192.0.2.2', '192.0.2.3'), us);
  clock.advance(10);
  expect(peer.statuses).toEqual([200]);
  let done = false;
  phone.userAgent.stop(40_000, () => {
    done = true;
  });
  clock.advance(41_000);
  expect(done).toBe(true);
  expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  expect(clock.armed).toEqual([]);
}

/** What we answer to one torture message, besides 100. */
function answerTo(file: string): string {
  const all = world();
  const answers: string[] = [];
  // Wherever Via sends them (RFC 3261 §18.2.2).
  all.network.tap = (bytes, from) => {
    const [line] = Buffer.from(bytes).toString('latin1').split('\r\n', 1);
    if (from === us && !line!.startsWith('SIP/2.0 100')) answers.push(line!);
  };
  // The answer to bad bytes quotes them, so nobody reads it here.
  all.network.attach(them, () => {});
  all.network.send(readFileSync(join(torture, file)), them, us);
  all.clock.advance(20);
  expect(answers.length, file).toBeLessThanOrEqual(1);
  const answer = answers[0] ?? 'nothing';
  stillWorks(all);
  return answer;
}

test('the torture messages are answered as the list says', async () => {
  expect(fixtures.length).toBe(49 + 12);
  const list = fixtures.map(file => `${file.padEnd(40)} ${answerTo(file)}`).join('\n');
  await expect(`${list}\n`).toMatchFileSnapshot(`${import.meta.dirname}/torture-answers.txt`);
});

/** One to three faults: a byte changed, cut, doubled, or a run of what parsers stumble over. */
function damage(bytes: Uint8Array, chance: ReturnType<typeof seeded>): Uint8Array {
  let damaged = Buffer.from(bytes);
  const hostile = [
    '\r\n',
    '\0',
    ';',
    '"',
    '<',
    ',,,,',
    '%00',
    ';tag=',
    'SIP/2.0',
    '-1',
    '4294967296',
    ' ',
    '\t',
    '[::',
  ];
  for (let fault = 1 + Math.floor(chance.next() * 3); fault > 0; fault--) {
    const at = Math.floor(chance.next() * damaged.length);
    const rest = damaged.subarray(at + (chance.next() < 0.5 ? 1 : Math.floor(chance.next() * 20)));
    const insert = chance.next() < 0.3 ? '' : hostile[Math.floor(chance.next() * hostile.length)]!;
    damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(insert, 'latin1'), rest]);
  }
  return damaged;
}

test('damaged messages in the middle of calls, 3000 of them', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const chance = seeded(seed);
    const all = world();
    const { clock, network, phone } = all;
    const other = new Phone(clock, network, { address: them, seed: 2 });
    const seen: { bytes: Uint8Array; from: typeof us; to: typeof us }[] = [];
    network.tap = (bytes, from, to) => seen.push({ bytes, from, to });
    phone.onInvite = ({ call }) => call.accept(sdp('answer'));
    other.onInvite = ({ call }) => call.ring();
    if (seed % 2 === 0) other.dial('sip:user@192.0.2.1');
    else phone.dial('sip:user@192.0.2.2');
    for (let step = 0; step < 30; step++) {
      clock.advance(50);
      if (step === 10) other.call?.accept(sdp('answer'));
      if (step === 20) phone.call?.reoffer(sdp('new'));
      const { bytes, from, to } = seen[Math.floor(chance.next() * seen.length)]!;
      network.tap = undefined;
      network.send(damage(bytes, chance), from, to);
      network.tap = (copy, source, target) => seen.push({ bytes: copy, from: source, to: target });
    }
    phone.call?.hangUp();
    clock.advance(10);
    other.call?.hangUp();
    clock.advance(100_000);
    stillWorks(all);
    other.userAgent.stop(1_000, () => {});
  }
});

/** What stands in requests of the extensions, right and wrong. */
const fields = [
  'Session-Expires: 90;refresher=uac',
  'Session-Expires: 60',
  'Session-Expires: 4294967296;refresher=none',
  'Min-SE: 99999999',
  'Supported: timer, 100rel, replaces',
  'Require: timer',
  'Require: 100rel',
  'RAck: 1 1 INVITE',
  'RSeq: 1',
  'Refer-To: <sip:carol@192.0.2.9>',
  'Refer-To: <sip:carol@192.0.2.9?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>',
  'Refer-To: <sip:%00@[::',
  'Replaces: a;to-tag=b;from-tag=c',
  'Event: check-sync;reboot=true',
  'Event: refer',
  'Authorization: Digest username="user", realm="192.0.2.1", nonce="", uri="", response=""',
  'Info-Package: dtmf',
  'Content-Type: application/dtmf-relay',
  'Content-Type: text/plain',
  'P-Asserted-Identity: <sip:x@y>, "',
  'Reason: SIP;cause=',
  'Contact: <sip:elsewhere@192.0.2.2>',
];
const methods = ['INVITE', 'ACK', 'BYE', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY', 'MESSAGE', 'OPTIONS', 'CANCEL'];
const bodies = ['', 'Signal=5\r\nDuration=100\r\n', '5', 'v=0'];

test('every method with every field at any moment of a call: 200 calls, 8000 requests', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const chance = seeded(seed);
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(chance.next() * items.length)]!;
    const all = world();
    const { clock, network, phone } = all;
    const peer = new ScriptedPeer(network, them);
    phone.onTransfer = (_, answer) => {
      const tell = answer.accept();
      clock.after(1_000, () => tell(pick([180, 200, 486])), 'new call');
    };
    phone.onInvite = ({ call }) => {
      if (chance.next() < 0.5) call.ring(chance.next() < 0.5 ? sdp('early') : undefined);
      clock.after(1_000 * chance.next(), () => call.accept(sdp('answer')), 'finger');
    };
    peer.onRequest = received => {
      if (received.method !== 'ACK' && chance.next() < 0.7) peer.reply(received, pick([200, 202, 404, 422, 481, 491]));
    };
    const sent = request({ more: `${pick(fields)}\n${pick(fields)}`, body: pick(bodies) });
    peer.say(sent, us);
    clock.advance(20);
    for (let step = 1; step <= 40; step++) {
      const method = pick(methods);
      const to = peer
        .responses()
        .findLast(({ headers }) => headers.get('To')?.includes('tag='))
        ?.headers.get('To');
      peer.say(
        request({
          method,
          sequence: method === 'ACK' || method === 'CANCEL' ? 1 : step + Math.floor(3 * chance.next()),
          branch: `z9hG4bK-${step}`,
          more: `${pick(fields)}\n${pick(fields)}`,
          body: pick(bodies),
          ...(to !== undefined && chance.next() < 0.9 && { to }),
        }),
        us,
      );
      if (chance.next() < 0.1) phone.call?.sendKey('5', 100);
      if (chance.next() < 0.1) phone.call?.reoffer(sdp('ours'));
      clock.advance(200 * chance.next());
    }
    phone.call?.hangUp();
    clock.advance(200_000);
    stillWorks(all);
  }
});

test('torture messages and damaged streams over TCP: the user agent still answers, and keeps few connections', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const chance = seeded(seed);
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(1), presets.perfect);
    const streams = new StreamNetwork(clock, seeded(seed + 1));
    const phone = new Phone(clock, network, { address: us, settings: { maxCalls: 100 }, streams });
    const invite = Buffer.from(request({ more: 'Content-Length: 0' }).replaceAll('\n', '\r\n'));
    for (let number = 0; number < 60; number++) {
      const stranger = streams.raw(`198.51.100.${number}`, { ...us, transport: 'tcp' });
      const torn = readFileSync(join(torture, fixtures[Math.floor(chance.next() * fixtures.length)]!));
      const bytes = chance.next() < 0.5 ? torn : Buffer.concat([torn, damage(invite, chance), invite]);
      stranger.stream.write(bytes);
      if (chance.next() < 0.3) stranger.stream.close();
      clock.advance(5);
      expect(phone.streams!.connections.size).toBeLessThanOrEqual(connectionLimit);
    }
    // What rings is given up after ten minutes, and its connection ten minutes later.
    clock.advance(1_300_000);
    stillWorks({ clock, network, phone });
  }
});
