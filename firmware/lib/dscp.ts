/**
 * Marks what a socket sends, so that switches and routers let it go first: DSCP (RFC 2474). Node has no call for it, so
 * this is setsockopt of the C library through koffi. Without it everything works, unmarked.
 */
import type { Socket as Datagrams } from 'node:dgram';
import { createRequire } from 'node:module';
import type { Socket as Connection } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { handleOf } from './descriptor.ts';

// linux/in.h, linux/in6.h
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IPPROTO_IPV6 = 41;
const IPV6_TCLASS = 67;
/** RFC 2474 §3: DSCP is the upper six bits of the byte. */
const DSCP_SHIFT = 2;
const INT_BYTES = 4;

/** A bound datagram socket, or a connection. Returns why it could not be marked. */
export type Mark = (socket: Datagrams | Connection, family: 4 | 6) => string | undefined;

/** `dscp`: 0 to 63; 0 marks nothing. */
export function markerOf(dscp: number): Mark {
  if (dscp === 0) return () => undefined;
  let set: (fd: number, level: number, option: number) => string | undefined;
  try {
    set = openLibrary(dscp);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return () => `koffi cannot be used: ${why}`;
  }
  return (socket, family) => {
    const fd = handleOf(socket)?.fd;
    if (fd === undefined) return 'this Node does not tell the descriptor of a socket';
    // A socket of both families sends IPv4 too, with the mark of IPv4.
    return (family === 6 ? set(fd, IPPROTO_IPV6, IPV6_TCLASS) : undefined) ?? set(fd, IPPROTO_IP, IP_TOS);
  };
}

function openLibrary(dscp: number) {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const setsockopt = koffi.load(null).func('int setsockopt(int, int, int, const void *, unsigned int)');
  const value = Buffer.alloc(INT_BYTES);
  // In the order of the machine; every board of ours is little-endian.
  value.writeInt32LE(dscp << DSCP_SHIFT);
  return (fd: number, level: number, option: number) =>
    setsockopt(fd, level, option, value, INT_BYTES) === 0 ? undefined : getSystemErrorName(-koffi.errno());
}
