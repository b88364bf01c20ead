/** Pages over real multicast on loopback, into a device as its owner runs it. */
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../demo/free-port.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { hears } from './support/hearing.ts';
import { sendPage } from './support/page.ts';

const GROUP = '239.255.42.42';
const HZ = 1_000;
const PACKETS = 150;

const bench = new Bench();
afterAll(() => bench.stop());

test('a device on a real network hears a page and tells of it', async () => {
  const port = await freePort('udp');
  const device = await startDevice(bench, { config: { paging: { groups: { all: { address: GROUP, port } } } } });
  await device.follow();
  await sendPage({ address: GROUP, port, hz: HZ, seconds: PACKETS / 50 });
  await device.event('paging', 'page started', { group: 'all', level: 'normal', from: HOST });
  await device.event('paging', 'page ended', { group: 'all' });
  const { paging } = await device.status();
  expect(paging.groups.all).toMatchObject({ pages: 1, packets: PACKETS, lost: 0, malformed: 0 });
  await device.stop();
  const { seconds, purityDb } = hears(device.heard, HZ);
  expect([seconds > 2.5, purityDb > 25]).toEqual([true, true]);
});
