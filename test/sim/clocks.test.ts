/** Clocks that jump: the wall clock is set by years, the whole process stands still for an hour. */
import { describe, expect, test } from 'vitest';
import { Registrar } from '../desk/registrar.ts';
import { LossyNetwork, presets } from './lossy-network.ts';
import { seeded } from './seeded.ts';
import { Phone } from './sip-phone.ts';
import { VirtualClock } from './virtual-clock.ts';
import { building, tone, World } from './world.ts';

const YEAR_MS = 365 * 86_400_000;

describe.each([10 * YEAR_MS, -50 * YEAR_MS])('a wall clock that is set by %i ms', jumpMs => {
  test('touches neither a call, nor a door, nor the registration', async () => {
    const told = async (jump: number) => {
      const world = new World({ seed: 3, impairment: presets.perfect });
      const desk = world.desk({ speaks: tone(1_000), onCall: call => call.answer() });
      const device = world.device(building, tone(600));
      await world.run(2_000);
      device.hold('button-1', true);
      await world.run(150);
      device.hold('button-1', false);
      await world.run(2_000);
      world.wallJumpMs = jump;
      desk.desk.calls[0]?.sendKeys('55#');
      await world.run(140_000);
      await world.finish(Promise.all([device.intercom.stop(), desk.desk.stop()]));
      expect(device.intercom.alive).toMatchObject({ transactions: 0, calls: 0, timers: 0 });
      // The trace has the monotonic time of each packet and event.
      return world.trace;
    };
    expect(await told(jumpMs)).toEqual(await told(0));
  });
});

describe('a process that stood still for an hour', () => {
  function stage() {
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(1), presets.perfect);
    const parts = { clock, random: seeded(2), wallClock: () => clock.now() };
    const registrar = new Registrar(parts, { realm: 'here', passwords: { front: 'secret' } });
    const server = new Phone(clock, network, {
      address: { host: '192.0.2.2', port: 5060 },
      methods: { REGISTER: transaction => registrar.serve(transaction) },
    });
    const phone = new Phone(clock, network, {
      address: { host: '192.0.2.1', port: 5060 },
      account: { aor: 'sip:front@192.0.2.2', register: true, expiresMs: 300_000, password: 'secret' },
    });
    clock.advance(1_000);
    const sent: number[] = [];
    network.tap = (_, from) => {
      if (from.host === '192.0.2.1') sent.push(clock.now());
    };
    return { clock, phone, server, registrar, sent };
  }

  test('renews its registration at once', () => {
    const { clock, phone, registrar } = stage();
    clock.leap(3_600_000);
    expect(registrar.contactFor('front')).toBeUndefined();
    clock.advance(100);
    expect(registrar.contactFor('front')).toContain('192.0.2.1');
    expect(phone.userAgent.registration('main')).toMatchObject({ is: 'registered' });
  });

  test('in the middle of an INVITE that nobody answers, sends no storm of copies and gives up', () => {
    const { clock, phone, sent } = stage();
    phone.dial('sip:nobody@192.0.2.99');
    clock.advance(10);
    clock.leap(3_600_000);
    const before = sent.length;
    clock.advance(1_000);
    // Its last copies, and what renews the registration.
    expect(sent.length - before).toBeLessThanOrEqual(6);
    clock.advance(60_000);
    expect(phone.ends).toHaveLength(1);
  });

  test('in a call that had to be refreshed meanwhile: it is ended, and told so', () => {
    const { clock, phone, server, sent } = stage();
    phone.dial('sip:user@192.0.2.2:5060');
    clock.advance(10);
    server.call!.accept({ contentType: 'application/sdp', bytes: new Uint8Array([1]) });
    clock.advance(1_000);
    expect(phone.call!.state).toBe('confirmed');
    clock.leap(3_600_000);
    const before = sent.length;
    clock.advance(60_000);
    expect(sent.length - before).toBeLessThanOrEqual(10);
    phone.call!.hangUp();
    clock.advance(60_000);
    expect(phone.userAgent.alive).toMatchObject({ calls: 0 });
  });
});
