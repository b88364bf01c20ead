/** Carries a program that knows no TLS (Debian's SIPp) over TLS: plain TCP on its side, certificates on the other. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as openTcp, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as openTls } from 'node:tls';
import type { Pair } from '../../sim/certificates.ts';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';

export interface TlsCarrier {
  /** Where the device reaches the program, over TLS. */
  securePort: number;
  /** Where the program reaches the device, over TCP. */
  plainPort: number;
  /** TLS connections so far, either way: that it was TLS indeed. */
  readonly secured: number;
}

export interface CarrierSpec {
  pair: Pair;
  ca: string;
  /** The program's own TCP port. */
  programPort: number;
  /** The device's TLS port. */
  devicePort?: number;
}

/** Closed with the bench. */
export async function startTlsCarrier(bench: Bench, spec: CarrierSpec): Promise<TlsCarrier> {
  const { pair, programPort, devicePort } = spec;
  const [cert, key, ca] = [pair.certificate, pair.key, spec.ca].map(file => readFileSync(file, 'utf8'));
  let secured = 0;
  /** The connection that the program has opened: what it answers comes by it, whoever asked. */
  let program: Socket | undefined;
  const sockets = new Set<Socket>();
  const keep = <T extends Socket>(socket: T): T => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };

  const secure = createTlsServer({ cert: cert!, key: key! }, socket => {
    secured++;
    keep(socket);
    if (program === undefined) join(socket, keep(openTcp(programPort, HOST)));
    else socket.on('data', bytes => program?.write(bytes));
  });
  const plain = createServer(socket => {
    program = keep(socket);
    const out = keep(openTls({ host: HOST, port: devicePort ?? 0, ca: [ca!] }, () => secured++));
    join(socket, out);
  });
  const [securePort, plainPort] = await Promise.all([listening(secure), listening(plain)]);
  bench.onStop(() => {
    for (const socket of sockets) socket.destroy();
    secure.close();
    plain.close();
  });
  return {
    securePort,
    plainPort,
    get secured() {
      return secured;
    },
  };
}

function join(one: Socket, other: Socket) {
  one.pipe(other);
  other.pipe(one);
}

const listening = (server: Server) =>
  new Promise<number>(resolve => {
    server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
  });
