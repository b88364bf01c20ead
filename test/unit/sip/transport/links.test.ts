/** The machine's addresses as they come and go. */
import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import {
  changeBetween,
  type LinkChange,
  LinkWatch,
  lookEveryMs,
  systemAddresses,
} from '../../../../firmware/sip/transport/links.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

test('the same addresses in another order are no change', () => {
  expect(changeBetween(['192.0.2.1', '2001:db8::1'], ['2001:db8::1', '192.0.2.1'])).toBeUndefined();
  expect(changeBetween([], [])).toBeUndefined();
});

test('a change says what came and what is gone', () => {
  expect(changeBetween(['192.0.2.1', '192.0.2.2'], ['192.0.2.2', '192.0.2.3'])).toEqual({
    addresses: ['192.0.2.2', '192.0.2.3'],
    came: ['192.0.2.3'],
    gone: ['192.0.2.1'],
  });
});

test('each change is told once, within a second; nothing is armed after the stop', () => {
  const clock = new VirtualClock();
  let addresses: string[] | undefined = ['192.0.2.1'];
  const changes: LinkChange[] = [];
  const watch = new LinkWatch(
    clock,
    () => addresses,
    change => changes.push(change),
  );
  watch.start();
  clock.advance(60_000);
  addresses = undefined;
  clock.advance(10_000);
  expect(changes).toEqual([]);
  addresses = [];
  clock.advance(lookEveryMs);
  addresses = ['192.0.2.9'];
  clock.advance(60_000);
  expect(changes).toEqual([
    { addresses: [], came: [], gone: ['192.0.2.1'] },
    { addresses: ['192.0.2.9'], came: ['192.0.2.9'], gone: [] },
  ]);
  watch.stop();
  expect(clock.idle).toBe(true);
});

test('the addresses of this machine are literals that others can reach', () => {
  for (const address of systemAddresses() ?? []) {
    expect(isIP(address), address).not.toBe(0);
    expect(address).not.toMatch(/^(?:127\.|::1$|fe80:)/);
  }
});
