/** Pages over real multicast on loopback, into a device as its owner runs it. */
import { afterAll, expect, test } from 'vitest';
import type { PagingTest } from '../../firmware/controller/paging-test.ts';
import { systemClock } from '../../firmware/lib/clock.ts';
import { RpcClient } from '../../firmware/rpc/client.ts';
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

test('what is sent to a group on this machine arrives, and nobody takes it for a page', async () => {
  const port = await freePort('udp');
  const device = await startDevice(bench, {
    room: 'tested',
    config: { paging: { groups: { all: { address: GROUP, port } } } },
  });
  const rpc = new RpcClient(device.socket, systemClock);
  await rpc.connect();
  const found = (await rpc.call('paging.test')) as PagingTest;
  expect(found.groups).toEqual({ all: { arrives: true, packets: 0 } });
  expect(['not yet', 'heard', 'unknown']).toContain(found.querier.is);
  expect((await device.status()).paging.groups.all).toMatchObject({ pages: 0, malformed: 0 });
  rpc.close();
  await device.stop();
});

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
