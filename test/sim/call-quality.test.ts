/** A moment after a call the device tells how good it was heard. */
import { expect, test } from 'vitest';
import { presets } from './lossy-network.ts';
import { building, tone, World } from './world.ts';

test('the event `quality` follows the end of a call, with whom it was and how good', async () => {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk({ speaks: tone(1_000), onCall: call => call.answer() });
  const device = world.device(building, tone(600));
  await world.until(() => device.intercom.status().accounts.pbx!.state === 'registered', 10_000);
  device.intercom.perform({ do: 'call', target: 'desk' }, 'cli');
  await world.until(() => desk.desk.calls.some(({ state }) => state === 'talking'), 10_000);
  await world.run(3_000);
  device.intercom.perform({ do: 'hang up' }, 'cli');
  await world.run(1_000);
  const told = device.events.filter(({ source }) => source === 'call').map(({ type }) => type);
  expect(told.slice(-2)).toEqual(['ended', 'quality']);
  const { mos, remote, receivedPackets } = device.events.findLast(({ type }) => type === 'quality')!;
  expect(remote).toContain('desk');
  expect(mos).toBeGreaterThan(4.3);
  expect(receivedPackets).toBeGreaterThan(100);
  await world.finish(Promise.all([device.intercom.stop(), desk.desk.stop()]));
});
