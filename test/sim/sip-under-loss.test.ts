/**
 * Register, call, talk, offer anew, hang up, over networks that lose, double and overtake packets; for every seed the
 * sides and the moments are other. Whatever the seed: each call ends once on each side, each offer once at most, and
 * nothing outlives its owner.
 */
import { describe, expect, test } from 'vitest';
import { LossyNetwork, type Preset, presets } from './lossy-network.ts';
import { seeded } from './seeded.ts';
import { sipDesk } from './sip-desk.ts';
import { Phone, sdp } from './sip-phone.ts';
import { VirtualClock } from './virtual-clock.ts';

const seedsPerPreset = 250;
/** Longer than every timer of a call together: ring limit, CANCEL, 64 × T1 twice, and the copies after it. */
const settleMs = 300_000;
const stopLimitMs = 40_000;

function callUnder(preset: Preset, seed: number) {
  const clock = new VirtualClock();
  const chance = seeded(seed);
  const network = new LossyNetwork(clock, seeded(seed * 31 + 7), presets[preset]);
  const { phone: pbx, registrar } = sipDesk(clock, network, { host: '192.0.2.1', port: 5060 });
  const desk = new Phone(clock, network, { address: { host: '192.0.2.10', port: 5060 }, seed: seed + 1_000 });
  const front = new Phone(clock, network, {
    address: { host: '192.0.2.20', port: 5060 },
    seed,
    account: { aor: 'sip:front@192.0.2.1', register: true, expiresMs: 120_000, password: 'secret' },
    settings: { ringLimitMs: 40_000 },
  });
  clock.advance(120_000 * chance.next());

  // Half of the calls go to the device, as far as the desk knows where it is.
  const contact = registrar.contactFor('front');
  const toFront = chance.next() < 0.5 && contact !== undefined;
  const [caller, callee] = toFront ? [desk, front] : [front, desk];
  const answerAfterMs = 4_000 * chance.next();
  const early = chance.next() < 0.5 ? sdp('early answer') : undefined;
  callee.onInvite = ({ call }) => {
    call.ring(early);
    clock.after(answerAfterMs, () => call.accept(sdp('answer')), 'finger');
  };
  for (const phone of [caller, callee]) {
    const offerAfterMs = 10_000 * chance.next();
    if (chance.next() < 0.5) clock.after(offerAfterMs, () => phone.call?.reoffer(sdp('new offer')), 'finger');
  }
  caller.dial(toFront ? contact : 'sip:desk@192.0.2.10');
  clock.advance(12_000 * chance.next());
  // Where the INVITE has not reached the callee yet, only the caller can hang up.
  const first = chance.next() < 0.5 || callee.call === undefined ? caller : callee;
  first.call!.hangUp();
  clock.advance(settleMs);
  return { clock, network, pbx, desk, front, caller, callee };
}

describe.each(Object.keys(presets) as Preset[])('%s', preset => {
  test(`${seedsPerPreset} calls end once on both sides and leave nothing behind`, () => {
    for (let seed = 1; seed <= seedsPerPreset; seed++) {
      const { clock, network, pbx, desk, front, caller, callee } = callUnder(preset, seed);
      const tale = `${preset}, seed ${seed}\n${network.trace.join('\n')}`;
      expect(caller.ends.length, tale).toBe(1);
      for (const { heard } of [caller, callee]) {
        expect(heard.filter(line => line.startsWith('reoffered')).length, tale).toBeLessThanOrEqual(1);
        expect(heard.length === 0 || heard.at(-1)!.startsWith('ended'), tale).toBe(true);
      }
      expect(callee.ends.length, tale).toBe(callee.call === undefined ? 0 : 1);
      expect(desk.userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
      expect(front.userAgent.alive.calls, tale).toBe(0);
      const state = front.userAgent.registration('main');
      // Only the registration still has a timer: its refresh, or the next attempt (with the one on its way).
      if (front.userAgent.alive.transactions === 0) expect(front.userAgent.alive.timers, tale).toBe(1);
      expect(['registered', 'registering', 'failed'], tale).toContain(state.is);

      let stopped = 0;
      for (const phone of [front, desk, pbx]) phone.userAgent.stop(stopLimitMs, () => stopped++);
      clock.advance(stopLimitMs + 1_000);
      expect(stopped, tale).toBe(3);
      expect(front.userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
      expect(clock.armed, tale).toEqual([]);
    }
  });
});

test('a peer that vanishes at any moment leaves nothing behind once the other hangs up', () => {
  for (let seed = 1; seed <= seedsPerPreset; seed++) {
    const clock = new VirtualClock();
    const chance = seeded(seed);
    const network = new LossyNetwork(clock, seeded(seed), presets.office);
    const [one, two] = [1, 2].map(
      host => new Phone(clock, network, { address: { host: `192.0.2.${host}`, port: 5060 }, seed: seed + host }),
    ) as [Phone, Phone];
    two.onInvite = ({ call }) => {
      call.ring();
      clock.after(50, () => call.accept(sdp('answer')), 'finger');
    };
    one.dial('sip:user@192.0.2.2');
    if (chance.next() < 0.5) clock.after(100, () => two.call?.reoffer(sdp('new offer')), 'finger');
    clock.advance(250 * chance.next());
    (chance.next() < 0.5 ? one : two).unplug();
    clock.advance(5_000 * chance.next());
    for (const phone of [one, two]) phone.call?.hangUp();
    clock.advance(settleMs);
    const tale = `seed ${seed}\n${network.trace.join('\n')}`;
    for (const { call, ends, userAgent } of [one, two]) {
      expect(ends.length, tale).toBe(call === undefined ? 0 : 1);
      expect(userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
    }
    expect(clock.armed, tale).toEqual([]);
  }
});

test.each(Object.keys(presets) as Preset[])('keys by INFO arrive once and in order, %s', preset => {
  for (let seed = 1; seed <= 50; seed++) {
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(seed), presets[preset]);
    const [one, two] = [1, 2].map(
      host => new Phone(clock, network, { address: { host: `192.0.2.${host}`, port: 5060 }, seed: seed + host }),
    ) as [Phone, Phone];
    two.onInvite = ({ call }) => call.accept(sdp('answer'));
    one.dial('sip:user@192.0.2.2');
    clock.advance(35_000);
    for (const key of '1590*#') one.call!.sendKey(key, 100);
    clock.advance(120_000);
    const tale = `${preset}, seed ${seed}\n${network.trace.join('\n')}`;
    // A network so bad that the call itself did not come about carries no keys.
    if (one.call!.state !== 'confirmed') continue;
    expect(two.heard.filter(line => line.startsWith('key')).join(' '), tale).toBe(
      'key 1 100 key 5 100 key 9 100 key 0 100 key * 100 key # 100',
    );
  }
});

describe.each(Object.keys(presets) as Preset[])('a timed session over %s', preset => {
  test('lasts as long as both are there, and ends on both sides in its time where one vanishes', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const clock = new VirtualClock();
      const chance = seeded(seed);
      const network = new LossyNetwork(clock, seeded(seed), presets[preset]);
      const settings = { sessionExpiresMs: 90_000 };
      const [one, two] = [1, 2].map(
        host =>
          new Phone(clock, network, { address: { host: `192.0.2.${host}`, port: 5060 }, seed: seed + host, settings }),
      ) as [Phone, Phone];
      two.onInvite = ({ call }) => call.accept(sdp('answer'));
      one.dial('sip:user@192.0.2.2');
      clock.advance(1_000_000);
      const tale = `${preset}, seed ${seed}\n${network.trace.join('\n')}`;
      const isBad = preset === 'badWifi';
      // On a very bad network a refresh may be lost in all its copies; both ends know it then.
      if (!isBad) expect([one.call!.state, two.call!.state], tale).toEqual(['confirmed', 'confirmed']);
      else expect(one.call!.state, tale).toBe(two.call?.state ?? 'ended');
      (chance.next() < 0.5 ? one : two).unplug();
      clock.advance(180_000);
      for (const { call, ends, userAgent } of [one, two]) {
        expect(ends.length, tale).toBe(call === undefined ? 0 : 1);
        expect(userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
      }
      expect(clock.armed, tale).toEqual([]);
    }
  });
});

/** The desk passes the visitor on: first it may ask the third itself, who then goes on with that call. */
describe.each(Object.keys(presets) as Preset[])('transfers over %s', preset => {
  test.each(['blind', 'attended'])(
    '%s: every call ends once, nothing is left, and on a good network they talk',
    how => {
      let talked = 0;
      for (let seed = 1; seed <= 60; seed++) {
        const clock = new VirtualClock();
        const network = new LossyNetwork(clock, seeded(seed), presets[preset]);
        const [door, desk, third] = [1, 2, 3].map(
          host =>
            new Phone(clock, network, {
              address: { host: `192.0.2.${host}`, port: 5060 },
              seed: seed + host,
              settings: { maxCalls: 3 },
            }),
        ) as [Phone, Phone, Phone];
        for (const phone of [desk, third]) {
          phone.onInvite = ({ call, replaces }) => {
            call.accept(sdp('answer'));
            if (replaces !== undefined) replaces.hangUp();
          };
        }
        door.onTransfer = ({ target, headers }, answer) => {
          const first = door.call!;
          const tell = answer.accept();
          const handler = door.handler();
          const options = { target, headers, body: sdp('offer') };
          door.call = door.userAgent.call(options, {
            ...handler,
            onAnswered: body => {
              handler.onAnswered(body);
              tell(200);
              first.hangUp();
            },
            onEnded: end => {
              handler.onEnded(end);
              tell(487);
            },
          });
        };
        door.dial('sip:user@192.0.2.2');
        clock.advance(40_000);
        const call = desk.call;
        if (how === 'attended' && call !== undefined) {
          desk.dial('sip:user@192.0.2.3');
          clock.advance(40_000);
        }
        call?.transfer('sip:user@192.0.2.3', how === 'attended' ? desk.call : undefined);
        clock.advance(100_000);
        const tale = `${preset}, ${how}, seed ${seed}\n${network.trace.join('\n')}`;
        if (door.heard.filter(line => line.startsWith('answered')).length === 2 && third.call?.state === 'confirmed') {
          talked++;
          // One call is left of two or three, and it is theirs.
          expect(
            [door, desk, third].map(({ userAgent }) => userAgent.alive.calls),
            tale,
          ).toEqual([1, 0, 1]);
        }
        for (const phone of [door, desk, third]) phone.call?.hangUp();
        clock.advance(settleMs);
        for (const { userAgent, ends } of [door, desk, third]) {
          expect(userAgent.alive, tale).toEqual({ transactions: 0, calls: 0, timers: 0 });
          expect(ends.length, tale).toBeLessThanOrEqual(3);
        }
        expect(clock.armed, tale).toEqual([]);
      }
      expect(talked).toBeGreaterThan(preset === 'badWifi' ? 30 : 55);
    },
  );
});

test('the same seed gives the same trace, another seed another', () => {
  const trace = (seed: number) => callUnder('badWifi', seed).network.trace.join('\n');
  expect(trace(7)).toBe(trace(7));
  expect(trace(7)).not.toBe(trace(8));
});

test('on a good network every call that is let ring is answered', () => {
  let answered = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const { caller, callee } = callUnder('office', seed);
    if (caller.heard.some(line => line.startsWith('answered'))) answered++;
    expect(callee.call, `seed ${seed}`).toBeDefined();
  }
  // The rest hung up before the finger reached the key.
  expect(answered).toBeGreaterThan(25);
});
