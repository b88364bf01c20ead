/** RTP sockets that are read when a frame begins, on this machine's loopback, and somebody who sends to them. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../../firmware/lib/clock.ts';
import type { PortPair } from '../../../firmware/media/network.ts';
import { loadPolledSockets } from '../../../firmware/media/polled-sockets.ts';
import { UdpNetwork } from '../../../firmware/media/udp.ts';
import { seeded } from '../../sim/seeded.ts';

export const HOST = '127.0.0.1';
const PORTS = { from: 33_200, to: 33_299 };
const open: { close(): void }[] = [];
/** After each test. */
export function closeAll() {
  for (const part of open.splice(0)) part.close();
}

interface Heard {
  text: string;
  from: string;
  arrivedMs: number;
}

export async function polled(host = HOST, clock: Clock = systemClock) {
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

export async function peer(): Promise<Socket> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

/** Resolves when it has left; over loopback it is there then. */
export const send = (socket: Socket, text: string, port: number) =>
  new Promise<void>((resolve, reject) =>
    socket.send(text, port, HOST, error => (error === null ? resolve() : reject(error))),
  );
