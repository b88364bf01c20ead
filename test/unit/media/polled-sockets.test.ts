import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../firmware/lib/clock.ts';
import type { PortPair } from '../../../firmware/media/network.ts';
import { loadPolledSockets } from '../../../firmware/media/polled-sockets.ts';
import { UdpNetwork } from '../../../firmware/media/udp.ts';
import { seeded } from '../../sim/seeded.ts';

const HOST = '127.0.0.1';
const PORTS = { from: 33_200, to: 33_299 };
const open: { close(): void }[] = [];
afterEach(() => {
  for (const part of open.splice(0)) part.close();
});

interface Heard {
  text: string;
  from: string;
  arrivedMs: number;
}

async function polled(host = HOST, clock: Clock = systemClock) {
  const sockets = loadPolledSockets(clock);
  expect(sockets).toBeDefined();
  const network = new UdpNetwork(PORTS, seeded(7), undefined, sockets);
  const heard: Heard[] = [];
  const reports: string[] = [];
  const pair = await new Promise<PortPair>((resolve, reject) =>
    network.open(
      host,
      {
        onRtp: (bytes, from, arrivedMs) =>
          heard.push({
            text: Buffer.from(bytes).toString(),
            from: `${from.host}:${from.port}`,
            arrivedMs: arrivedMs ?? Number.NaN,
          }),
        onRtcp: bytes => void reports.push(Buffer.from(bytes).toString()),
      },
      opened => ('why' in opened ? reject(new Error(opened.why)) : resolve(opened)),
    ),
  );
  open.push(pair);
  return { network, pair, heard, reports };
}

async function peer(): Promise<Socket> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

/** Resolves when it has left; over loopback it is there then. */
const send = (socket: Socket, text: string, port: number) =>
  new Promise<void>((resolve, reject) =>
    socket.send(text, port, HOST, error => (error === null ? resolve() : reject(error))),
  );

test('what has come is handed over when the frame begins, in order, with who sent it and when it came', async () => {
  let nowMs = 1_000;
  const { network, pair, heard } = await polled(HOST, { ...systemClock, now: () => nowMs });
  const [one, other] = [await peer(), await peer()];
  const beforeMs = performance.now();
  await send(one, 'a', pair.rtpPort);
  await send(other, 'b', pair.rtpPort);
  const afterMs = performance.now();
  await send(one, 'c', pair.rtpPort);
  await new Promise(resolve => setImmediate(resolve));
  expect(heard).toEqual([]);

  const askedMs = performance.now();
  network.poll();
  const answeredMs = performance.now();
  expect(heard.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
  const name = (socket: Socket) => `${HOST}:${socket.address().port}`;
  expect(heard.map(({ from }) => from)).toEqual([name(one), name(other), name(one)]);
  for (const { arrivedMs } of heard.slice(0, 2)) {
    // By how long it has waited, in the machine's time.
    expect(nowMs - arrivedMs).toBeGreaterThan(askedMs - afterMs - 1);
    expect(nowMs - arrivedMs).toBeLessThan(answeredMs - beforeMs + 1);
  }

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
