/** Pages over UDP multicast sockets. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from '../lib/address.ts';
import type { Membership, MulticastNetwork } from './network.ts';

/** Kernel buffer, bytes: a second of sound waits out a stall of this thread. */
const SOCKET_BUFFER_BYTES = 64 * 1024;

export class UdpMulticast implements MulticastNetwork {
  readonly #interface: string | undefined;

  /** Groups are joined on the interface of this address; absent: where the machine's routes lead. */
  constructor(interfaceHost: string | undefined) {
    this.#interface = interfaceHost;
  }

  join(
    { host, port }: Address,
    onPacket: (bytes: Uint8Array, from: Address) => void,
    done: (membership: Membership | { why: string }) => void,
  ) {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
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
        socket.addMembership(host, this.#interface);
        return undefined;
      } catch (error) {
        return reason(error as NodeJS.ErrnoException);
      }
    };
    // Bound to the group and not to all addresses: what is sent to other groups on this port stays away.
    socket.bind({ address: host, port }, () => {
      const why = enter();
      if (why !== undefined) return tell({ why });
      tell({
        renew: () => {
          try {
            socket.dropMembership(host, this.#interface);
          } catch {
            // It was lost with its interface: then it is entered anew.
          }
          return enter();
        },
        close: () => socket.close(),
      });
    });
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENODEV: 'no network leads to it; is the cable in, and is paging.interface an address of this device?',
  EADDRNOTAVAIL: 'no network leads to it; is paging.interface an address of this device?',
  EADDRINUSE: 'another program has its port for itself',
  ENOBUFS: 'the kernel allows no more memberships (net.ipv4.igmp_max_memberships)',
};

const reason = (error: NodeJS.ErrnoException) => WORDS[error.code ?? ''] ?? error.code ?? error.message;
