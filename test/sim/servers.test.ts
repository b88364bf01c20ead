/**
 * A telephone whose servers stand in a DNS that is right, late, wrong or silent, and that answer, refuse, are busy or
 * are gone; for every seed other ones. Whatever the seed: each call ends once, and nothing outlives it.
 */
import { expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import type { Resolve } from '../../firmware/sip/contracts.ts';
import type { Found, Services } from '../../firmware/sip/locate/services.ts';
import { LossyNetwork, presets } from './lossy-network.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { seeded } from './seeded.ts';
import { Phone, sdp } from './sip-phone.ts';
import { StreamNetwork } from './stream-network.ts';
import { VirtualClock } from './virtual-clock.ts';

const seeds = 400;
const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;

/** Answers as it likes: at once, late, twice, never; sound records, nonsense, none, an error. */
function unreliableDns(clock: VirtualClock, random: Random): Services & { resolve: Resolve } {
  const answer = <T>(done: (found: Found<T>) => void, record: () => T) => {
    const found = (): Found<T> =>
      random.next() < 0.15
        ? { why: 'DNS: ESERVFAIL' }
        : {
            records: Array.from({ length: Math.floor(random.next() * 4) }, record),
            ttlMs: pick(random, [0, 1_000, 60_000, -5, Number.MAX_SAFE_INTEGER]),
          };
    const mood = random.next();
    if (mood < 0.1) return;
    if (mood < 0.2) done(found());
    clock.after(4_000 * random.next() ** 3, () => done(found()), 'dns');
  };
  const name = () => pick(random, ['a.example', 'b.example', '', '.', 'nowhere.example', 'pbx.example']);
  return {
    naptr: (_, done) =>
      answer(done, () => ({
        order: random.next(),
        preference: random.next(),
        flags: pick(random, ['s', 'S', 'a', '']),
        service: pick(random, ['SIP+D2U', 'sip+d2t', 'SIPS+D2T', 'SIP+D2S', '']),
        replacement: pick(random, ['_sip._udp.pbx.example', '_sip._tcp.pbx.example', '']),
      })),
    srv: (_, done) =>
      answer(done, () => ({
        priority: Math.floor(random.next() * 3),
        weight: Math.floor(random.next() * 3),
        port: pick(random, [5060, 5060, 5060, 0, -1, 70_000, Number.NaN]),
        target: name(),
      })),
    resolve: (host, port = 5060, done) =>
      answer<{ host: string; port: number }>(
        found =>
          'why' in found
            ? done([], found.why)
            : done(found.records, found.records.length > 0 ? undefined : `no such host: ${host}`, found.ttlMs),
        () => ({ host: pick(random, ['192.0.2.101', '192.0.2.102', '192.0.2.103']), port }),
      ),
  };
}

function callWith(seed: number) {
  const random = seeded(seed);
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(seed + 1), presets.office);
  const streams = new StreamNetwork(clock, seeded(seed + 2));
  const { resolve, ...services } = unreliableDns(clock, seeded(seed + 3));
  const phone = new Phone(clock, network, {
    address: { host: '192.0.2.1', port: 5060 },
    seed,
    streams,
    services,
    resolve,
    settings: { ringLimitMs: 120_000 },
  });
  const answers: Phone[] = [];
  for (const number of [101, 102, 103]) {
    const address = { host: `192.0.2.${number}`, port: 5060 };
    const kind = random.next();
    if (kind < 0.4) {
      const server = new Phone(clock, network, { address, streams, seed: seed + number });
      server.onInvite = ({ call }) => {
        if (random.next() < 0.5) call.refuse(pick(random, [503, 486, 603]));
        else call.accept(sdp('answer'));
      };
      answers.push(server);
    } else if (kind < 0.7) {
      const server = new ScriptedPeer(network, address);
      const headers = [['Retry-After', pick(random, ['5', '0', '-1', 'soon', '99999999999'])]] as const;
      server.onRequest = request => request.method !== 'ACK' && server.reply(request, 503, { headers });
    } else if (kind < 0.8) streams.moods.set(`tcp ${address.host}:5060`, 'swallows');
  }
  phone.dial('sip:desk@pbx.example', { body: sdp('x'.repeat(random.next() < 0.3 ? 1_500 : 100)) });
  clock.advance(150_000 * random.next());
  phone.call!.hangUp();
  clock.advance(300_000);
  return { clock, phone, answers, streams };
}

test(`${seeds} calls through a DNS that lies or is gone end once and leave nothing behind`, () => {
  let answered = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const { clock, phone, answers } = callWith(seed);
    const tale = `seed ${seed}: ${phone.heard.join(', ')}`;
    expect(phone.ends.length, tale).toBe(1);
    for (const { userAgent, ends, heard } of [phone, ...answers]) {
      expect(userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
      // A server that is named for TCP and UDP may be asked by both.
      if (ends !== phone.ends) expect(ends.length, tale).toBe(heard.filter(line => line.startsWith('invite')).length);
    }
    for (const { streams } of [phone, ...answers]) streams?.stop();
    clock.advance(700_000);
    expect(clock.armed, tale).toEqual([]);
    if (phone.heard.some(line => line.startsWith('answered'))) answered++;
  }
  // The world is of use only while both ends are reached.
  expect(answered).toBeGreaterThan(30);
  expect(answered).toBeLessThan(seeds - 100);
});

test('the same seed gives the same course', () => {
  const course = (seed: number) => callWith(seed).phone.heard;
  expect(course(11)).toEqual(course(11));
});
