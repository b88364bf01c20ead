import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { closeAll, HOST, peer, polled, send } from './polled.ts';

afterEach(closeAll);

test('what has come is handed over when the frame begins, in order, with who sent it', async () => {
  let nowMs = 1_000;
  const { network, pair, heard } = await polled(HOST, { ...systemClock, now: () => nowMs });
  const [one, other] = [await peer(), await peer()];
  await send(one, 'a', pair.rtpPort);
  await send(other, 'b', pair.rtpPort);
  await send(one, 'c', pair.rtpPort);
  await new Promise(resolve => setImmediate(resolve));
  expect(heard).toEqual([]);

  network.poll();
  expect(heard.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
  const name = (socket: Socket) => `${HOST}:${socket.address().port}`;
  expect(heard.map(({ from }) => from)).toEqual([name(one), name(other), name(one)]);

  nowMs += 20;
  network.poll();
  expect(heard).toHaveLength(3);
});

test('a flood waits its turn: so many packets of one socket in a frame, the others in the next', async () => {
  const { network, pair, heard } = await polled();
  const socket = await peer();
  for (let packet = 0; packet < 40; packet++) await send(socket, `${packet}`, pair.rtpPort);
  network.poll();
  expect(heard).toHaveLength(32);
  network.poll();
  expect(heard.map(({ text }) => Number(text))).toEqual(Array.from({ length: 40 }, (_, index) => index));
});

test('frames that begin together read once; the next that begins later reads again', async () => {
  let nowMs = 1_000;
  const { network, pair, heard } = await polled(HOST, { ...systemClock, now: () => nowMs });
  const socket = await peer();
  network.poll();
  await send(socket, 'a', pair.rtpPort);
  nowMs += 1;
  network.poll();
  expect(heard).toEqual([]);
  nowMs += 9;
  network.poll();
  expect(heard.map(({ text }) => text)).toEqual(['a']);
});

test('a packet leaves within the call; what has no address is lost and nothing more', async () => {
  const { pair } = await polled();
  const socket = await peer();
  const { port } = socket.address();
  const packet = Buffer.from('hello, and more');
  const arrived = once(socket, 'message');
  pair.sendRtp(packet, 5, { host: '::1', port });
  pair.sendRtp(packet, 5, { host: HOST, port: 0 });
  pair.sendRtp(packet, 5, { host: HOST, port });
  packet.fill(0);
  const [bytes, from] = await arrived;
  expect(bytes.toString()).toBe('hello');
  expect(from).toMatchObject({ address: HOST, port: pair.rtpPort });
});

test('reports come by themselves; nothing comes after the end, not even in the midst of a frame', async () => {
  const { network, pair, heard, reports } = await polled();
  const socket = await peer();
  await send(socket, 'report', pair.rtcpPort);
  await expect.poll(() => reports).toEqual(['report']);
  await send(socket, 'late', pair.rtpPort);
  pair.close();
  network.poll();
  expect(heard).toEqual([]);
});

test('a wildcard and IPv6 are opened too', async () => {
  const any = await polled('0.0.0.0');
  const socket = await peer();
  await send(socket, 'x', any.pair.rtpPort);
  any.network.poll();
  expect(any.heard.map(({ text }) => text)).toEqual(['x']);
  // Read by the event loop.
  const six = await polled('::');
  await send(socket, 'y', six.pair.rtpPort);
  await expect.poll(() => six.heard.map(({ text, from }) => `${text} ${from.split(':')[0]}`)).toEqual([`y ${HOST}`]);
});
