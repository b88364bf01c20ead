/** Pages over real multicast on loopback, into a device as its owner runs it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import { systemClock } from '../../firmware/lib/clock.ts';
import { writeRtp } from '../../firmware/rtp/packet.ts';
import { freePort } from '../demo/free-port.ts';
import { sine } from '../sim/tone.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { hears } from './support/hearing.ts';

const GROUP = '239.255.42.42';
const HZ = 1_000;
const PACKETS = 150;

const bench = new Bench();
afterAll(() => bench.stop());

test('a device on a real network hears a page and tells of it', async () => {
  const port = await freePort('udp');
  const device = await startDevice(bench, { config: { paging: { groups: { all: { address: GROUP, port } } } } });
  await device.follow();
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  socket.setMulticastInterface(HOST);
  const encoder = g711Encoder('PCMA');
  const tone = sine(HZ, 8_000, 8_000, 1);
  const payload = new Uint8Array(160);
  const bytes = new Uint8Array(172);
  for (let index = 0; index < PACKETS; index++) {
    const at = (index * 160) % tone.length;
    encoder.encode(tone.subarray(at, at + 160), payload);
    writeRtp(bytes, { payloadType: 8, marker: index === 0, sequence: index, timestamp: index * 160, ssrc: 7 }, payload);
    socket.send(Uint8Array.from(bytes), port, GROUP);
    await new Promise<void>(next => void systemClock.after(20, next));
  }
  socket.close();
  await device.event('paging', 'page started', { group: 'all', level: 'normal', from: HOST });
  await device.event('paging', 'page ended', { group: 'all' });
  const { paging } = await device.status();
  expect(paging.groups.all).toMatchObject({ pages: 1, packets: PACKETS, lost: 0, malformed: 0 });
  await device.stop();
  const { seconds, purityDb } = hears(device.heard, HZ);
  expect([seconds > 2.5, purityDb > 25]).toEqual([true, true]);
});
