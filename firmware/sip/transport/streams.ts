/** TCP and TLS on node:net and node:tls: what opens and accepts the connections that `connections.ts` keeps. */
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, TLSSocket } from 'node:tls';
import { printAddress } from '../../lib/address.ts';
import type { Hop } from '../hop.ts';
import { explainTls, whyNotFor } from './certificate.ts';
import { unmapped } from './routes.ts';
import type { ByteStream, Connect, StreamEvents } from './stream.ts';
import { explainListen, type Listen } from './udp.ts';

/** The kernel asks after a silent peer. Milliseconds. */
const kernelKeepAliveMs = 60_000;

/** Opens connections. `from`: the address of ours to use, where it matters; `context` holds our CA and certificate. */
export const systemConnect =
  (from: (to: Hop) => string | undefined, context: () => SecureContext): Connect =>
  (to, events) => {
    try {
      return to.transport === 'tls' ? openTls(to, from(to), context(), events) : openTcp(to, from(to), events);
    } catch (error) {
      // Files of the configuration that cannot be used, a name that TLS cannot carry: told like any other failure, later.
      queueMicrotask(() => events.onClose((error as Error).message));
      return { write() {}, localHost: undefined, waitingBytes: 0, close() {} };
    }
  };

function openTcp(to: Hop, localAddress: string | undefined, events: StreamEvents): ByteStream {
  const { host, port } = to;
  const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
  return wrap(socket, events, 'connect', error => explainConnect(error, to));
}

function openTls(to: Hop, localAddress: string | undefined, secureContext: SecureContext, events: StreamEvents) {
  const { host, port, domain = host } = to;
  const socket = connectTls({
    host,
    port,
    ...(localAddress !== undefined && { localAddress }),
    secureContext,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    // RFC 6066 §3: a literal is no server name.
    ...(isIP(domain) === 0 && { servername: domain }),
    checkServerIdentity: (_, certificate) => {
      const why = whyNotFor(domain, certificate);
      return why === undefined ? undefined : new Error(why);
    },
  });
  return wrap(socket, events, 'secureConnect', error => explainTls(error, domain) ?? explainConnect(error, to));
}

export type Accept = (remote: Hop, stream: ByteStream) => StreamEvents | undefined;

/** A listening TCP port, for TLS where there is a `context`. */
export class StreamListener {
  readonly #listen: Listen;
  readonly #context: SecureContext | undefined;
  /** TLS: who shows no certificate of our CA is not let in. */
  readonly #wantsCertificate: boolean;
  #server: Server | undefined;
  #port: number;

  constructor(listen: Listen, context?: SecureContext, wantsCertificate = false) {
    this.#listen = listen;
    this.#wantsCertificate = wantsCertificate;
    this.#context = context;
    this.#port = listen.port;
  }

  /** As bound; that of the settings until then. */
  get port() {
    return this.#port;
  }

  start(accept: Accept, onFailure: (why: string) => void) {
    const { host, port } = this.#listen;
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: kernelKeepAliveMs });
    server.on('connection', socket => this.#accept(socket, accept));
    server.on('error', (error: NodeJS.ErrnoException) => onFailure(explainListen(error, this.#listen)));
    server.on('listening', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) this.#port = address.port;
    });
    server.listen({ host, port });
    this.#server = server;
  }

  stop() {
    this.#server?.removeAllListeners();
    this.#server?.on('error', () => {});
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(socket: Socket, accept: Accept) {
    socket.on('error', () => {});
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    const transport = this.#context === undefined ? 'tcp' : 'tls';
    const remote: Hop = { host: unmapped(remoteAddress), port: remotePort, transport };
    // The connection counts from here on: a slow TLS greeting takes a place and has a deadline like any other.
    const stream =
      this.#context === undefined
        ? socket
        : new TLSSocket(socket, {
            isServer: true,
            secureContext: this.#context,
            minVersion: 'TLSv1.2',
            requestCert: this.#wantsCertificate,
            rejectUnauthorized: this.#wantsCertificate,
          });
    if (this.#wantsCertificate && stream instanceof TLSSocket) onlyKnown(stream);
    const late: { events?: StreamEvents | undefined } = {};
    const wrapped = wrap(
      stream,
      {
        onOpen() {},
        onBytes: bytes => late.events?.onBytes(bytes),
        onClose: why => late.events?.onClose(why),
      },
      undefined,
      ({ message }) => message,
    );
    late.events = accept(remote, wrapped);
    if (late.events === undefined) wrapped.close();
  }
}

/**
 * OpenSSL lets nobody in without a certificate, but leaves it to us to judge one that our CA has not signed; node:tls
 * does so only for servers that it has made itself. Nothing has been read before `secure`.
 */
function onlyKnown(stream: TLSSocket) {
  const { ssl } = stream as unknown as { ssl: { verifyError(): Error | null } };
  stream.once('secure', () => {
    const error = ssl.verifyError();
    if (error !== null) stream.destroy(error);
  });
}

/** Events of a socket as ours. The first word of its end counts. */
function wrap(
  socket: Socket,
  events: StreamEvents,
  opened: 'connect' | 'secureConnect' | undefined,
  explain: (error: NodeJS.ErrnoException) => string,
): ByteStream {
  let over = false;
  const end = (why?: string) => {
    if (over) return;
    over = true;
    socket.destroy();
    events.onClose(why);
  };
  socket.setNoDelay(true);
  socket.setKeepAlive(true, kernelKeepAliveMs);
  if (opened !== undefined) socket.once(opened, () => over || events.onOpen());
  socket.on('data', bytes => over || events.onBytes(bytes));
  socket.on('error', error => end(explain(error)));
  socket.on('close', () => end());
  return {
    write: bytes => void (over || socket.write(bytes)),
    get localHost() {
      return socket.localAddress === undefined ? undefined : unmapped(socket.localAddress);
    },
    get waitingBytes() {
      return socket.writableLength;
    },
    close() {
      over = true;
      socket.destroy();
    },
  };
}

export function explainConnect({ code, message }: NodeJS.ErrnoException, to: Hop): string {
  const where = printAddress(to);
  if (code === 'ECONNREFUSED') return `${where} refuses TCP connections`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `${where} broke the connection`;
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `no route to ${where}`;
  return message;
}
