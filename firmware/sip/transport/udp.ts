/** The UDP socket: the only place where SIP touches the network. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../../lib/address.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Transport } from '../contracts.ts';

/** How long an answer of the routing table is believed: an address may change under us. */
const routeKeptMs = 5_000;
/** Destinations whose route is remembered. */
const routeLimit = 256;

export interface Listen {
  /** `0.0.0.0`, `::` (which takes IPv4 too), or one address of this machine. */
  host: string;
  /** 0: any free port. */
  port: number;
}

export class UdpSocket implements Transport {
  readonly #listen: Listen;
  readonly #clock: Clock;
  readonly #routes = new Map<string, { local: string; untilMs: number }>();
  #socket: Socket | undefined;
  #port: number;

  constructor(listen: Listen, clock: Clock = systemClock) {
    this.#listen = listen;
    this.#clock = clock;
    this.#port = listen.port;
  }

  /** `onFailure` says in words, for a person, why the port cannot be had or what became of it. */
  start(receive: (bytes: Uint8Array, from: Address) => void, onFailure: (why: string) => void) {
    const { host, port } = this.#listen;
    const socket = openSocket(host);
    socket.on('message', (bytes, { address, port: from }) => receive(bytes, { host: unmapped(address), port: from }));
    socket.on('error', (error: NodeJS.ErrnoException) => onFailure(explain(error, this.#listen)));
    socket.on('listening', () => {
      this.#port = socket.address().port;
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

  localFor(remote: Address): Address {
    const { host } = this.#listen;
    const anyAddress = host === '0.0.0.0' || host === '::';
    return { host: anyAddress ? this.#routeTo(remote) : host, port: this.#port };
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

  /** Asks the kernel, by a socket that is connected and never used, which of our addresses it would send from. */
  #routeTo({ host, port }: Address): string {
    const nowMs = this.#clock.now();
    const known = this.#routes.get(host);
    if (known !== undefined && known.untilMs > nowMs) return known.local;
    const local = probe(host, port);
    if (this.#routes.size >= routeLimit) this.#routes.clear();
    this.#routes.set(host, { local, untilMs: nowMs + routeKeptMs });
    return local;
  }
}

/** With a look-up that answers IP literals at once, so that bind and connect are over when they return. */
function openSocket(host: string): Socket {
  const family = isIPv6(host) ? 6 : 4;
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (literal, _options, found) => found(null, literal, family),
  });
}

function probe(host: string, port: number): string {
  const socket = openSocket(host);
  socket.on('error', () => {});
  try {
    socket.connect(port, host);
    return unmapped(socket.address().address);
  } catch {
    // No route there: no address of ours is better than another.
    return isIPv6(host) ? '::1' : '127.0.0.1';
  } finally {
    socket.close();
  }
}

const unmapped = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

function explain({ code, message }: NodeJS.ErrnoException, { host, port }: Listen): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken by another program: set sip.listen.port`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}: set sip.listen.host`;
  if (code === 'EACCES') return `no permission to use port ${port}: set sip.listen.port above 1023`;
  return `SIP socket: ${message}`;
}
