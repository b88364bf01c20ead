/** RTP and RTCP over UDP sockets. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../lib/address.ts';
import type { Mark } from '../lib/dscp.ts';
import type { Random } from '../lib/random.ts';
import type { MediaNetwork, PortHandlers, PortPair } from './network.ts';
import type { PolledSocket, PolledSockets } from './polled-sockets.ts';

/** Kernel buffer each way, bytes: a second of sound waits out a stall of this thread. */
const SOCKET_BUFFER_BYTES = 256 * 1024;

export class UdpNetwork implements MediaNetwork {
  readonly #from: number;
  readonly #pairs: number;
  readonly #random: Random;
  readonly #mark: Mark;
  readonly #polled: PolledSockets | undefined;
  /** Those that wait to be polled. */
  #waiting: UdpPair[] = [];
  unmarked: string | undefined;

  /** Ports `from` to `to`, both included; RTP takes the even ones. `polled`: RTP is read by `poll`, where it can be. */
  constructor(
    { from, to }: { from: number; to: number },
    random: Random,
    mark: Mark = () => undefined,
    polled?: PolledSockets,
  ) {
    this.#polled = polled;
    this.#from = from + (from % 2);
    this.#pairs = Math.floor((to - this.#from + 1) / 2);
    this.#random = random;
    this.#mark = mark;
  }

  open(host: string, handlers: PortHandlers, done: (pair: PortPair | { why: string }) => void) {
    const range = `${this.#from}-${this.#from + 2 * this.#pairs - 1}`;
    if (this.#pairs < 1) return done({ why: `the RTP port range ${range} holds no even port with its next` });
    // A random first port: a late packet of the last call must not meet the next one.
    const first = Math.floor(this.#random.next() * this.#pairs);
    const attempt = (tried: number) => {
      if (tried === this.#pairs) return done({ why: `no pair of RTP ports is free in ${range}` });
      const port = this.#from + 2 * ((first + tried) % this.#pairs);
      bind(host, port, (rtp, why) => {
        if (rtp === undefined)
          return why === 'EADDRINUSE' ? attempt(tried + 1) : done({ why: cannotBind(host, port, why) });
        bind(host, port + 1, (rtcp, why) => {
          if (rtcp !== undefined) {
            const family = isIPv6(host) ? 6 : 4;
            this.unmarked = this.#mark(rtp, family) ?? this.#mark(rtcp, family);
            return done(this.#pairOf(rtp, rtcp, port, handlers, family));
          }
          rtp.close();
          if (why === 'EADDRINUSE') attempt(tried + 1);
          else done({ why: cannotBind(host, port + 1, why) });
        });
      });
    };
    attempt(0);
  }

  #pairOf(rtp: Socket, rtcp: Socket, port: number, handlers: PortHandlers, family: 4 | 6): UdpPair {
    const polled = family === 4 ? this.#polled?.take(rtp) : undefined;
    const pair = new UdpPair(rtp, rtcp, port, handlers, polled, () => {
      this.#waiting = this.#waiting.filter(other => other !== pair);
    });
    if (polled !== undefined) this.#waiting.push(pair);
    return pair;
  }

  poll() {
    if (this.#waiting.length === 0) return;
    this.#polled?.begin();
    for (const pair of this.#waiting) pair.poll();
  }
}

const cannotBind = (host: string, port: number, why: string) =>
  why === 'EADDRNOTAVAIL' ? `${host} is no address of this device` : `${host} port ${port} cannot be taken: ${why}`;

/** An IPv4 peer as an IPv6 socket bound to `::` writes it (RFC 4291 §2.5.5.2). */
const MAPPED = '::ffff:';

type Found = (error: Error | null, address: string, family: number) => void;

/** Node resolves each destination, even a literal. Ours are literals always, and so a packet leaves within the call. */
const lookup4 = (host: string, _options: unknown, found: Found) => found(null, host, 4);
const lookup6 = (host: string, _options: unknown, found: Found) => found(null, isIPv6(host) ? host : MAPPED + host, 6);
/** Node's type asks for the many-answers form, which dgram never calls. */
export const literalLookup = (family: 4 | 6) => (family === 6 ? lookup6 : lookup4) as never;

function bind(host: string, port: number, done: (socket: Socket | undefined, why: string) => void) {
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    lookup: literalLookup(isIPv6(host) ? 6 : 4),
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  const failed = (error: NodeJS.ErrnoException) => {
    socket.close();
    done(undefined, error.code ?? error.message);
  };
  socket.once('error', failed);
  socket.bind({ address: host, port, exclusive: true }, () => {
    socket.off('error', failed);
    // A peer's port that is closed comes back as ECONNREFUSED: packets that are lost, no more.
    socket.on('error', () => {});
    done(socket, '');
  });
}

class UdpPair implements PortPair {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #polled: PolledSocket | undefined;
  readonly #onRtp: PortHandlers['onRtp'];
  readonly #onClosed: () => void;
  #open = true;

  constructor(
    rtp: Socket,
    rtcp: Socket,
    rtpPort: number,
    handlers: PortHandlers,
    polled: PolledSocket | undefined,
    onClosed: () => void,
  ) {
    this.#polled = polled;
    this.#onClosed = onClosed;
    this.#onRtp = (bytes, from, arrivedMs) => {
      if (this.#open) handlers.onRtp(bytes, from, arrivedMs);
    };
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    const from: Address = { host: '', port: 0 };
    const listen = (socket: Socket, take: (bytes: Uint8Array, from: Address) => void) => {
      socket.on('message', (bytes, { address, port }) => {
        from.host = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
        from.port = port;
        take(bytes, from);
      });
    };
    if (polled === undefined) listen(rtp, handlers.onRtp);
    listen(rtcp, handlers.onRtcp);
  }

  poll() {
    if (this.#open) this.#polled?.read(this.#onRtp);
  }

  sendRtp(bytes: Uint8Array, length: number, to: Address) {
    if (this.#polled === undefined) this.#send(this.#rtp, bytes, length, to);
    else if (this.#open && to.port > 0 && to.port < 65_536) this.#polled.send(bytes, length, to);
  }

  sendRtcp(bytes: Uint8Array, length: number, to: Address) {
    this.#send(this.#rtcp, bytes, length, to);
  }

  #send(socket: Socket, bytes: Uint8Array, length: number, { host, port }: Address) {
    // Port 0 is an SDP that switched the stream off; Node would throw for it.
    if (this.#open && port > 0 && port < 65_536) socket.send(bytes, 0, length, port, host);
  }

  close() {
    if (!this.#open) return;
    this.#open = false;
    this.#onClosed();
    this.#rtp.close();
    this.#rtcp.close();
  }
}
