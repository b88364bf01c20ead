import { expect, test } from 'vitest';
import type { SipSocket } from '../../firmware/controller/sip-socket.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { Rehearsal } from '../../firmware/rehearsal.ts';
import { seeded } from '../sim/seeded.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** With sockets on a loopback of its own. */
function rehearsing() {
  const clock = new VirtualClock();
  const ports = new Map<number, (bytes: Uint8Array, from: { host: string; port: number }) => void>();
  let opened = 5_000;
  const openSocket = (): SipSocket => {
    const own = { host: '127.0.0.1', port: ++opened };
    return {
      start: receive => void ports.set(own.port, receive),
      stop: () => void ports.delete(own.port),
      localFor: () => own,
      send: (bytes, { port }) => void clock.after(0, () => ports.get(port)?.(bytes, own)),
    };
  };
  const rehearsal = new Rehearsal({ clock, random: seeded(1), log: silentLog, openSocket });
  rehearsal.start();
  const run = async (forMs: number) => {
    for (let leftMs = forMs; leftMs > 0; leftMs -= 100) {
      clock.advance(100);
      await Promise.resolve();
    }
  };
  return { clock, ports, rehearsal, run };
}

test('begins after the device, has every call go as a call should, and leaves nothing behind', async () => {
  const { clock, ports, rehearsal, run } = rehearsing();
  await run(2_900);
  expect(ports.size).toBe(0);
  await run(57_000);
  expect(rehearsal.calls).toBe(600);
  expect([...ports]).toEqual([]);
  expect(clock.armed).toEqual([]);
});

test('can be stopped in the middle of it', async () => {
  const { clock, ports, rehearsal, run } = rehearsing();
  await run(4_000);
  void rehearsal.stop();
  const { calls } = rehearsal;
  await run(60_000);
  expect(calls).toBeGreaterThan(10);
  expect(rehearsal.calls).toBe(calls);
  expect([...ports]).toEqual([]);
  expect(clock.armed).toEqual([]);
});

test('is given up where no socket can be had', () => {
  const clock = new VirtualClock();
  const openSocket = () => {
    throw new Error('too many open files');
  };
  const rehearsal = new Rehearsal({ clock, random: seeded(1), log: silentLog, openSocket });
  rehearsal.start();
  clock.advance(10_000);
  expect(rehearsal.calls).toBe(0);
  expect(clock.armed).toEqual([]);
});
