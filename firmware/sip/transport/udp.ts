/** A UDP socket for SIP. */
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../../lib/address.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Mark } from '../../lib/dscp.ts';
import type { Transport } from '../contracts.ts';
import { isWildcard, openDatagramSocket, Routes, unmapped } from './routes.ts';

export interface Listen {
  /** `0.0.0.0`, `::` (which takes IPv4 too), or one address of this machine. */
  host: string;
  /** 0: any free port. */
  port: number;
}

export class UdpSocket implements Transport {
  readonly #listen: Listen;
  readonly #routes: Routes;
  readonly #mark: Mark;
  #socket: Socket | undefined;
  #port: number;

  constructor(listen: Listen, clock: Clock = systemClock, mark: Mark = () => undefined) {
    this.#mark = mark;
    this.#listen = listen;
    this.#routes = new Routes(clock);
    this.#port = listen.port;
  }

  /** `onFailure` says in words, for a person, why the port cannot be had or what became of it. */
  start(receive: (bytes: Uint8Array, from: Address) => void, onFailure: (why: string) => void) {
    const { host, port } = this.#listen;
    const socket = openDatagramSocket(host);
    // Up to 32 datagrams between two looks at timers and connections (libuv): a flood does not hold them up for long.
    socket.on('message', (bytes, { address, port: from }) => receive(bytes, { host: unmapped(address), port: from }));
    socket.on('error', (error: NodeJS.ErrnoException) => onFailure(explainListen(error, this.#listen)));
    socket.on('listening', () => {
      this.#port = socket.address().port;
      this.#mark(socket, isIPv6(host) ? 6 : 4);
    });
    socket.bind(port, host);
    this.#socket = socket;
  }

  stop() {
    this.#socket?.removeAllListeners();
    // What is still queued may fail when the socket goes: nobody waits for it.
    this.#socket?.on('error', () => {});
    this.#socket?.close();
    this.#socket = undefined;
  }

  networkChanged() {
    this.#routes.forget();
  }

  localFor(remote: Address): Address {
    const { host } = this.#listen;
    return { host: isWildcard(host) ? this.#routes.to(remote) : host, port: this.#port };
  }

  send(bytes: Uint8Array, { host, port }: Address, onError?: (error: Error) => void) {
    const socket = this.#socket;
    if (socket === undefined) return;
    const failed = (error: Error | null) => {
      if (error !== null && this.#socket === socket) onError?.(error);
    };
    try {
      socket.send(bytes, port, this.#mapped(host), failed);
    } catch (error) {
      // A port out of range, an address of the wrong family, a socket that could not be bound.
      queueMicrotask(() => failed(error as Error));
    }
  }

  /** A socket of both families speaks of IPv4 addresses as `::ffff:192.0.2.1`. */
  #mapped(host: string) {
    return isIPv6(this.#listen.host) && !isIPv6(host) ? `::ffff:${host}` : host;
  }
}

/** For a person: why a port cannot be had. */
export function explainListen({ code, message }: NodeJS.ErrnoException, { host, port }: Listen): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken by another program: set sip.listen.port`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}: set sip.listen.host`;
  if (code === 'EACCES') return `no permission to use port ${port}: set sip.listen.port above 1023`;
  return `SIP socket: ${message}`;
}
