/** A port on loopback that nobody has now. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** `wanted` if it is free, otherwise any. */
export async function freePort(kind: 'udp' | 'tcp', wanted = 0): Promise<number> {
  const tryPort = kind === 'udp' ? tryUdp : tryTcp;
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? Promise.reject(new Error('no free port on loopback'));
}

const tryUdp = (port: number) =>
  new Promise<number | undefined>(resolve => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(undefined));
    socket.bind(port, '0.0.0.0', () => {
      const { port: bound } = socket.address();
      socket.close(() => resolve(bound));
    });
  });

const tryTcp = (port: number) =>
  new Promise<number | undefined>(resolve => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
