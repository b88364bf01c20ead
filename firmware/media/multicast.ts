/** Pages over UDP multicast sockets. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Address } from '../lib/address.ts';
import { markerOf } from '../lib/dscp.ts';
import { openIgmpSocket } from '../lib/igmp-socket.ts';
import { bindAddress, multicastWay } from './multicast-way.ts';
import type { GroupSender, GroupSenderOptions, Membership, MulticastNetwork } from './network.ts';
import { literalLookup } from './udp.ts';

/** Kernel buffer, bytes: a second of sound waits out a stall of this thread. */
const SOCKET_BUFFER_BYTES = 64 * 1024;

export class UdpMulticast implements MulticastNetwork {
  readonly #interfaceHost: string | undefined;

  /** Groups are joined and sent to on the interface of this address; absent: where the machine's routes lead. */
  constructor(interfaceHost: string | undefined) {
    this.#interfaceHost = interfaceHost;
  }

  #way(family: 4 | 6) {
    return multicastWay(family, this.#interfaceHost, networkInterfaces());
  }

  join(
    { host, port }: Address,
    onPacket: (bytes: Uint8Array, from: Address) => void,
    done: (membership: Membership | { why: string }) => void,
  ) {
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Groups share ports with each other, and with other programs.
      reuseAddr: true,
      recvBufferSize: SOCKET_BUFFER_BYTES,
    });
    let told = false;
    const tell = (result: Membership | { why: string }) => {
      if (told) return;
      told = true;
      if ('why' in result) socket.close();
      done(result);
    };
    socket.on('error', error => tell({ why: reason(error) }));
    const from: Address = { host: '', port: 0 };
    socket.on('message', (bytes, { address, port }) => {
      from.host = address;
      from.port = port;
      onPacket(bytes, from);
    });
    const enter = (): string | undefined => {
      try {
        socket.addMembership(host, this.#way(family).interface);
        return undefined;
      } catch (error) {
        return reason(error as NodeJS.ErrnoException);
      }
    };
    // Bound to the group and not to all addresses: what is sent to other groups on this port stays away.
    socket.bind({ address: bindAddress(host, this.#interfaceHost, networkInterfaces()), port }, () => {
      const why = enter();
      if (why !== undefined) return tell({ why });
      tell({
        renew: () => {
          try {
            socket.dropMembership(host, this.#way(family).interface);
          } catch {
            // It was lost with its interface: then it is entered anew.
          }
          return enter();
        },
        close: () => socket.close(),
      });
    });
  }

  openIgmp() {
    return openIgmpSocket();
  }

  openSender({ family, ttl, dscp }: GroupSenderOptions, done: (sender: GroupSender | { why: string }) => void) {
    const type = family === 6 ? 'udp6' : 'udp4';
    const socket = createSocket({ type, lookup: literalLookup(family), sendBufferSize: SOCKET_BUFFER_BYTES });
    const failed = (error: NodeJS.ErrnoException) => {
      socket.close();
      done({ why: reason(error) });
    };
    socket.once('error', failed);
    const way = this.#way(family);
    socket.bind({ address: way.from ?? (family === 6 ? '::' : '0.0.0.0'), port: 0 }, () => {
      socket.off('error', failed);
      try {
        socket.setMulticastTTL(ttl);
        if (way.interface !== undefined) socket.setMulticastInterface(way.interface);
      } catch (error) {
        return failed(error as NodeJS.ErrnoException);
      }
      // A mark that cannot be set is no reason to be silent.
      markerOf(dscp)(socket, family);
      done(new UdpGroupSender(socket));
    });
  }
}

class UdpGroupSender implements GroupSender {
  readonly port: number;
  unsent = 0;
  readonly #socket: Socket;
  #open = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('error', () => this.unsent++);
  }

  send(bytes: Uint8Array, length: number, { host, port }: Address) {
    if (this.#open) this.#socket.send(bytes, 0, length, port, host);
  }

  close() {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENODEV: 'no network leads to it; is the cable in, and is paging.interface an address of this device?',
  EADDRNOTAVAIL: 'no network leads to it; is paging.interface an address of this device?',
  EADDRINUSE: 'another program has its port for itself',
  ENOBUFS: 'the kernel allows no more memberships (net.ipv4.igmp_max_memberships)',
};

const reason = (error: NodeJS.ErrnoException) => WORDS[error.code ?? ''] ?? error.code ?? error.message;
