/** All sockets of the device's SIP: UDP, TCP and TLS on each address it listens on. The only place where SIP touches the network. */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { markerOf } from '../../lib/dscp.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { ConnectionKeepAlive, Transport } from '../contracts.ts';
import type { Hop } from '../hop.ts';
import { Connections } from './connections.ts';
import { type Inspected, inspectConnection } from './inspect.ts';
import { isWildcard, Routes } from './routes.ts';
import { StreamListener, systemConnect } from './streams.ts';
import { UdpSocket } from './udp.ts';

export interface SocketSettings {
  listen: {
    /** `0.0.0.0`, `::` (which takes IPv4 too), or one address of this machine. */
    host: string;
    /** Further addresses. */
    more: readonly string[];
    /** 0: any free one. The same for UDP and TCP. */
    port: number;
    transports: readonly ('udp' | 'tcp')[];
  };
  tls: TlsSettings;
  /** What datagrams are marked with, 0 to 63 (RFC 2474). Absent or 0: nothing. */
  dscp?: number;
}

/** Files in PEM. */
export interface TlsSettings {
  port: number;
  /** Ours, with the chain up to its CA: shown to whom we call, and to who calls us. Absent: TLS is not listened for. */
  certificate?: string | undefined;
  /** Of `certificate`. */
  key?: string | undefined;
  /** Whether callers must show a certificate that `ca` has signed. Absent: no. */
  clientCertificates?: 'off' | 'require' | undefined;
  /** Who may sign the certificates of servers. Absent: the public authorities. */
  ca?: string | undefined;
}

/** One address, and what listens there. */
interface Place {
  host: string;
  udp: UdpSocket | undefined;
  tcp: StreamListener | undefined;
  tls: StreamListener | undefined;
}

export class SipSockets implements Transport {
  readonly hasStreams = true;
  readonly #settings: SocketSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: Random;
  readonly #routes: Routes;
  #places: readonly Place[] = [];
  #connections: Connections | undefined;
  #context: SecureContext | undefined;

  constructor(settings: SocketSettings, parts: { clock?: Clock; log: Log; random: Random }) {
    this.#settings = settings;
    this.#clock = parts.clock ?? systemClock;
    this.#log = parts.log;
    this.#random = parts.random;
    this.#routes = new Routes(this.#clock);
  }

  /**
   * `onFailure` says in words, for a person, why a port cannot be had or what became of it; `deaf` where nothing else
   * carries our calls. `onLost`: a connection that
   * peers reach us by is gone.
   */
  start(
    receive: (bytes: Uint8Array, from: Hop) => void,
    onFailure: (why: string, deaf?: boolean) => void,
    onLost: (to: Hop) => void = () => {},
  ) {
    const { listen, tls, dscp = 0 } = this.#settings;
    const mark = markerOf(dscp);
    const { host, more, port, transports } = listen;
    const connections = new Connections(
      {
        clock: this.#clock,
        random: this.#random,
        log: this.#log,
        connect: systemConnect(
          to => this.#ownHostFor(to),
          () => this.#secureContext(),
        ),
      },
      { onMessage: receive, onLost },
    );
    this.#connections = connections;
    const accept = connections.accept.bind(connections);
    const context = this.#listeningContext();
    const wantsCertificate = tls.clientCertificates === 'require';
    const listenTls = (at: string) => new StreamListener({ host: at, port: tls.port }, context, wantsCertificate);
    this.#places = [host, ...more].map(at => {
      const udp = transports.includes('udp') ? new UdpSocket({ host: at, port }, this.#clock, mark) : undefined;
      // RFC 3581 §4: the answer has to come from where the request went.
      const hear: typeof receive =
        more.length === 0 ? receive : (bytes, from) => receive(bytes, { ...from, local: at });
      udp?.start(hear, why => onFailure(why, true));
      // Any free port of UDP is known by now; TCP takes the same one.
      const samePort = udp?.localFor({ host: at, port: 9 }).port ?? port;
      const tcp = transports.includes('tcp') ? new StreamListener({ host: at, port: samePort }) : undefined;
      tcp?.start(accept, why => onFailure(why, udp === undefined));
      const secure = context === undefined ? undefined : listenTls(at);
      secure?.start(accept, why => onFailure(why, udp === undefined && tcp === undefined));
      return { host: at, udp, tcp, tls: secure };
    });
  }

  stop() {
    for (const { udp, tcp, tls } of this.#places) {
      udp?.stop();
      tcp?.stop();
      tls?.stop();
    }
    this.#places = [];
    this.#connections?.stop();
    this.#connections = undefined;
  }

  keepAlive(to: Hop, how: ConnectionKeepAlive) {
    this.#connections?.keepAlive(to, how);
  }

  networkChanged(gone: readonly string[]) {
    this.#routes.forget();
    for (const { udp } of this.#places) udp?.networkChanged();
    this.#connections?.addressesGone(gone);
  }

  /** Opens a connection of its own, looks at it, and closes it. */
  inspect(to: Hop, done: (found: Inspected) => void) {
    const parts = { clock: this.#clock, localAddress: this.#ownHostFor(to), context: () => this.#secureContext() };
    inspectConnection(parts, to, done);
  }

  /** The TCP and TLS connections that are open now. */
  connections() {
    return this.#connections?.open ?? [];
  }

  localFor(remote: Hop): Hop {
    const place = this.#placeFor(remote);
    const own = place?.host ?? this.#settings.listen.host;
    const host = isWildcard(own) ? this.#routes.to(remote) : own;
    const { transport } = remote;
    if (transport === 'tcp') return { host, port: place?.tcp?.port ?? this.#settings.listen.port, transport };
    if (transport === 'tls') return { host, port: place?.tls?.port ?? this.#settings.tls.port, transport };
    return place?.udp?.localFor(remote) ?? { host, port: this.#settings.listen.port };
  }

  send(bytes: Uint8Array, to: Hop, onError: (error: Error) => void = () => {}) {
    const connections = this.#connections;
    if (connections === undefined) return;
    const later = (error: Error) => {
      if (this.#connections === connections) onError(error);
    };
    if (to.transport === 'tcp' || to.transport === 'tls') return connections.send(bytes, to, later);
    const udp = this.#placeFor(to)?.udp;
    if (udp !== undefined) udp.send(bytes, to, later);
    else queueMicrotask(() => later(new Error('UDP is switched off: see sip.listen.transports')));
  }

  /** Where several addresses are listened on, the one that the kernel would send from; else one of the same family. */
  #placeFor(remote: Hop): Place | undefined {
    const first = this.#places[0];
    if (this.#places.length < 2) return first;
    const asked = this.#places.find(({ host }) => host === remote.local);
    if (asked !== undefined) return asked;
    const local = this.#routes.to(remote);
    const suits = ({ host }: Place) =>
      host === '::' || (isIPv6(host) === isIPv6(remote.host) && (isWildcard(host) || host === local));
    return this.#places.find(suits) ?? this.#places.find(({ host }) => isIPv6(host) === isIPv6(remote.host)) ?? first;
  }

  #ownHostFor(remote: Hop): string | undefined {
    const own = this.#placeFor(remote)?.host;
    return own === undefined || isWildcard(own) || isIPv6(own) !== isIPv6(remote.host) ? undefined : own;
  }

  /** Throws an error with words for a person where a file cannot be used. */
  #secureContext(): SecureContext {
    if (this.#context !== undefined) return this.#context;
    const { certificate, key, ca } = this.#settings.tls;
    const files = {
      ca: ca === undefined ? [...rootCertificates] : read('sip.tls.ca', ca),
      ...(certificate !== undefined && { cert: read('sip.tls.certificate', certificate) }),
      ...(certificate !== undefined && { key: read('sip.tls.key', key ?? certificate) }),
    };
    try {
      this.#context = createSecureContext({ ...files, minVersion: 'TLSv1.2' });
    } catch (error) {
      throw new Error(`the files of sip.tls cannot be used: ${(error as Error).message}`);
    }
    return this.#context;
  }

  /** Where the files are bad the rest of SIP works on. */
  #listeningContext(): SecureContext | undefined {
    if (this.#settings.tls.certificate === undefined) return undefined;
    try {
      return this.#secureContext();
    } catch (error) {
      this.#log.error('no TLS', { why: (error as Error).message });
      return undefined;
    }
  }
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${setting}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
