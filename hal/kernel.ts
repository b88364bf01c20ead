/** The system calls that Node lacks, behind an interface small enough to be played by a test. */
import { closeSync, constants, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type { Clock, HalErrorCode } from './contracts.ts';
import { HalError } from './contracts.ts';
import { loadKoffi } from './native.ts';

/**
 * Files as the kernel sees them. Every call throws an error with a `code` such as `EBUSY`, as Node's own do, and none
 * of them blocks.
 */
export interface Kernel {
  /** Names in a directory; none when there is no such directory. */
  list(directory: string): string[];
  /** Opens for reading and writing, closed on exec. */
  open(path: string): number;
  close(fd: number): void;
  /** `request` carries direction and size as `_IOWR` packs them; the kernel reads and writes `bytes`. */
  ioctl(fd: number, request: number, bytes: Buffer): void;
  /** Bytes read; 0 when nothing is there now. */
  read(fd: number, into: Buffer): number;
  write(fd: number, bytes: Buffer): void;
  /** Calls `onReadable` whenever `fd` has something to read or has failed, until the returned function is called. */
  watch(fd: number, onReadable: () => void): () => void;
  /** CLOCK_MONOTONIC, the clock of the kernel's event stamps. Nanoseconds. */
  monotonicNs(): bigint;
}

/** Without the package `epoll`, files are looked at this often: an edge is heard late, never lost or wrongly dated. */
const POLL_MS = 10;
const POLLIN = 1;
/** struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;
const CLOCK_MONOTONIC = 1;
/** struct timespec on 64-bit Linux. */
const TIMESPEC_BYTES = 16;
const F_GETFL = 3;
const F_SETFL = 4;

/** `_IOC` of asm-generic/ioctl.h, the same on x86, arm and arm64. `direction`: 1 write, 2 read, 3 both. */
export const ioc = (direction: 1 | 2 | 3, type: number, number: number, bytes: number) =>
  ((direction << 30) | (bytes << 16) | (type << 8) | number) >>> 0;

const CODES: Record<string, HalErrorCode> = {
  EBUSY: 'busy',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOENT: 'missing',
  ENXIO: 'missing',
  ENODEV: 'gone',
  EBADF: 'gone',
  ENOTTY: 'unsupported',
  ENOSYS: 'unsupported',
  EOPNOTSUPP: 'unsupported',
};

/** A HalError of what a Kernel call threw; `what` begins the sentence. A HalError passes unchanged. */
export function kernelError(what: string, error: unknown): HalError {
  if (error instanceof HalError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new HalError(CODES[code ?? ''] ?? 'io', `${what}: ${code ?? message}`, { cause: error });
}

interface Epoll {
  add(fd: number, events: number): void;
  remove(fd: number): void;
  close(): void;
}

/** Calls libc through koffi; `clock` paces the looking at files where the package `epoll` is not installed. */
export function linuxKernel(clock: Clock, epoll: EpollPackage | null = findEpoll()): Kernel {
  const libc = loadKoffi().load(null);
  // Declared without `...`: on Linux the variadic third argument travels like any other, on arm64 as on x86-64.
  const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *bytes)');
  const fcntl = libc.func('int fcntl(int fd, int command, int argument)');
  const poll = libc.func('int poll(_Inout_ void *files, unsigned long count, int timeoutMs)');
  const clockGettime = libc.func('int clock_gettime(int clock, void *time)');
  const check = (result: number) => {
    if (result >= 0) return result;
    const code = getSystemErrorName(-loadKoffi().errno());
    throw Object.assign(new Error(code), { code });
  };
  const watched = new Map<number, () => void>();
  /** Files of which a read does not wait. */
  const unblocked = new Set<number>();
  let cancel: (() => void) | undefined;

  function look() {
    cancel = watched.size === 0 ? undefined : clock.after(POLL_MS, look, 'look at lines');
    const files = Buffer.alloc(watched.size * POLLFD_BYTES);
    const fds = [...watched.keys()];
    for (const [i, fd] of fds.entries()) {
      files.writeInt32LE(fd, i * POLLFD_BYTES);
      files.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
    }
    if (poll(files, fds.length, 0) <= 0) return;
    for (const [i, fd] of fds.entries()) {
      if (files.readInt16LE(i * POLLFD_BYTES + 6) !== 0) watched.get(fd)?.();
    }
  }

  return {
    list(directory) {
      try {
        return readdirSync(directory);
      } catch {
        return [];
      }
    },
    open: path => openSync(path, constants.O_RDWR),
    close(fd) {
      unblocked.delete(fd);
      closeSync(fd);
    },
    ioctl(fd, request, bytes) {
      check(ioctl(fd, request, bytes));
    },
    read(fd, into) {
      if (!unblocked.has(fd)) {
        check(fcntl(fd, F_SETFL, check(fcntl(fd, F_GETFL, 0)) | constants.O_NONBLOCK));
        unblocked.add(fd);
      }
      try {
        return readSync(fd, into);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
        throw error;
      }
    },
    write: (fd, bytes) => void writeSync(fd, bytes),
    watch(fd, onReadable) {
      if (epoll !== null) {
        const poller = new epoll.Epoll(onReadable);
        poller.add(fd, epoll.Epoll.EPOLLIN);
        return () => {
          poller.remove(fd);
          poller.close();
        };
      }
      watched.set(fd, onReadable);
      cancel ??= clock.after(POLL_MS, look, 'look at lines');
      return () => {
        watched.delete(fd);
        if (watched.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
    monotonicNs() {
      const time = Buffer.alloc(TIMESPEC_BYTES);
      check(clockGettime(CLOCK_MONOTONIC, time));
      return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
    },
  };
}

/** The part of epoll 4 that is used. */
export interface EpollPackage {
  Epoll: { new (listener: () => void): Epoll; readonly EPOLLIN: number };
}

function findEpoll(): EpollPackage | null {
  try {
    return createRequire(import.meta.url)('epoll') as EpollPackage;
  } catch {
    return null;
  }
}
