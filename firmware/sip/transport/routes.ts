/** Which of our addresses a peer sees: asked of the kernel's routing table. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';

/** How long an answer of the routing table is believed: an address may change under us. */
const routeKeptMs = 5_000;
/** Destinations whose route is remembered. */
const routeLimit = 256;

export const isWildcard = (host: string) => host === '0.0.0.0' || host === '::';

/** A socket of both families speaks of IPv4 addresses as `::ffff:192.0.2.1`. */
export const unmapped = (address: string) =>
  address.startsWith('::') ? address.replace(/^::ffff:(?=\d+\.)/i, '') : address;

export class Routes {
  readonly #clock: Clock;
  readonly #known = new Map<string, { local: string; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The machine's addresses have changed. */
  forget() {
    this.#known.clear();
  }

  /** The address of this machine that the kernel would send from. */
  to({ host, port }: Address): string {
    const nowMs = this.#clock.now();
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > nowMs) return known.local;
    const local = probe(host, port);
    if (this.#known.size >= routeLimit) this.#known.clear();
    this.#known.set(host, { local, untilMs: nowMs + routeKeptMs });
    return local;
  }
}

/** With a look-up that answers IP literals at once, so that bind and connect are over when they return. */
export function openDatagramSocket(host: string): Socket {
  const family = isIPv6(host) ? 6 : 4;
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (literal, _options, found) => found(null, literal, family),
  });
}

/** By a socket that is connected and never used. */
function probe(host: string, port: number): string {
  const socket = openDatagramSocket(host);
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
