/**
 * Hears IGMP. The kernel speaks it for us and tells nobody what it heard, and Node has no raw sockets, so this is the C
 * library through koffi. It needs the right to raw sockets (CAP_NET_RAW); without it nothing is heard, and pages come all
 * the same.
 */
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

// linux/socket.h, linux/in.h
const AF_INET = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const IPPROTO_IGMP = 2;

export interface IgmpSocket {
  /** The next IPv4 packet that waits, into the front of `into`: its bytes, or undefined where none waits. */
  read(into: Uint8Array): number | undefined;
  close(): void;
}

export function openIgmpSocket(): IgmpSocket | { why: string } {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(null);
    const socket = library.func('int socket(int, int, int)');
    const recv = library.func('intptr_t recv(int, _Out_ void *, size_t, int)');
    const close = library.func('int close(int)');
    const fd: number = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_IGMP);
    if (fd < 0) return { why: `IGMP cannot be heard: ${getSystemErrorName(-koffi.errno())} (needs CAP_NET_RAW)` };
    return {
      read(into) {
        const count = Number(recv(fd, into, into.length, 0));
        return count > 0 ? count : undefined;
      },
      close: () => void close(fd),
    };
  } catch (error) {
    return { why: `koffi cannot be used: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}` };
  }
}
