/**
 * RTP sockets that are read when a frame begins, by the C library, and not by Node's event loop. A packet can be heard no
 * sooner than with the next frame, so nothing is later for it, and the thread wakes half as often: one wake-up for all
 * streams instead of one for each packet. When each came is told by the kernel, so that the jitter buffer sees the
 * network's delays and none of ours.
 *
 * Only where koffi, a machine of 64 bits and IPv4 are; elsewhere Node's own events do it.
 */
import type { Socket } from 'node:dgram';
import { createRequire } from 'node:module';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import type { Address } from '../lib/address.ts';
import type { Clock } from '../lib/clock.ts';
import { handleOf } from '../lib/descriptor.ts';

/** Read in one call of the kernel, and so many calls in a row for one socket. */
const BATCH = 8;
const MOST_BATCHES = 4;
/** Longer than any packet that we take. */
const PACKET_BYTES = 2_048;

// asm-generic/socket.h, linux/socket.h, linux/time.h
const AF_INET = 2;
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;
const CLOCK_REALTIME = 0;
/** struct sockaddr_in, struct iovec, struct mmsghdr, and struct cmsghdr with a struct timespec. Bytes. */
const ADDRESS_BYTES = 16;
const IOVEC_BYTES = 16;
const MESSAGE_BYTES = 64;
const CONTROL_BYTES = 32;
/** In struct mmsghdr. */
const NAME_AT = 0;
const NAME_LENGTH_AT = 8;
const IOVEC_AT = 16;
const IOVECS_AT = 24;
const CONTROL_AT = 32;
const CONTROL_LENGTH_AT = 40;
const LENGTH_AT = 56;
/** Frames that a card gives together begin together: a socket that was empty so shortly ago is not asked again. */
const ASKED_AGAIN_AFTER_MS = 3;
/** A packet that seems to have waited longer was stamped before somebody set the clock. */
const LONGEST_WAIT_MS = 1_000;

/** `arrivedMs`: by the clock. `bytes` and `from` are valid during the call only. */
export type Take = (bytes: Uint8Array, from: Address, arrivedMs: number) => void;

export interface PolledSocket {
  /** What has come since the last time. */
  read(take: Take): void;
  send(bytes: Uint8Array, length: number, to: Address): void;
}

export interface PolledSockets {
  /** Before the sockets are read: what time it is. */
  begin(): void;
  /** Takes a bound socket of IPv4 away from the event loop. Undefined: this Node does not give it. */
  take(socket: Socket): PolledSocket | undefined;
}

/** Undefined where this machine cannot. */
export function loadPolledSockets(clock: Clock): PolledSockets | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    if (koffi.sizeof('void *') !== 8 || endianness() !== 'LE') return undefined;
    return new Sockets(koffi, clock);
  } catch {
    return undefined;
  }
}

class Sockets implements PolledSockets {
  readonly #clock: Clock;
  readonly #c: ReturnType<typeof functions>;
  readonly #messages = Buffer.alloc(BATCH * MESSAGE_BYTES);
  readonly #iovecs = Buffer.alloc(BATCH * IOVEC_BYTES);
  /** Each longer than what V8 may keep where it moves things. */
  readonly #names = Buffer.alloc(BATCH * ADDRESS_BYTES);
  readonly #controls = Buffer.alloc(BATCH * CONTROL_BYTES);
  readonly #packets = Buffer.alloc(BATCH * PACKET_BYTES);
  /** Of what came last in each place: the next is as long, as a rule. */
  readonly #views: Uint8Array[] = Array.from({ length: BATCH }, () => this.#packets.subarray(0, 0));
  readonly #time = Buffer.alloc(128);
  #nowMs = 0;
  /** The wall clock too has been read since `begin`. */
  #wallIsNow = false;
  #wallSeconds = 0;
  #wallNanoseconds = 0;

  constructor(koffi: typeof import('koffi'), clock: Clock) {
    this.#clock = clock;
    this.#c = functions(koffi);
    for (let slot = 0; slot < BATCH; slot++) {
      const message = slot * MESSAGE_BYTES;
      const point = (at: number, to: Buffer, size: number) =>
        this.#messages.writeBigUInt64LE(koffi.address(to) + BigInt(slot * size), message + at);
      point(NAME_AT, this.#names, ADDRESS_BYTES);
      point(IOVEC_AT, this.#iovecs, IOVEC_BYTES);
      point(CONTROL_AT, this.#controls, CONTROL_BYTES);
      this.#messages.writeUInt32LE(1, message + IOVECS_AT);
      const iovec = slot * IOVEC_BYTES;
      this.#iovecs.writeBigUInt64LE(koffi.address(this.#packets) + BigInt(slot * PACKET_BYTES), iovec);
      this.#iovecs.writeUInt32LE(PACKET_BYTES, iovec + 8);
      this.#renew(slot);
    }
  }

  /** The kernel writes how much of them it used. */
  #renew(slot: number) {
    this.#messages.writeUInt32LE(ADDRESS_BYTES, slot * MESSAGE_BYTES + NAME_LENGTH_AT);
    this.#messages.writeUInt32LE(CONTROL_BYTES, slot * MESSAGE_BYTES + CONTROL_LENGTH_AT);
  }

  begin() {
    this.#nowMs = this.#clock.now();
    this.#wallIsNow = false;
  }

  /** Both at one moment. */
  #readClocks() {
    this.#c.clockGettime(CLOCK_REALTIME, this.#time);
    this.#nowMs = this.#clock.now();
    this.#wallIsNow = true;
    this.#wallSeconds = this.#time.readUInt32LE(0);
    this.#wallNanoseconds = this.#time.readUInt32LE(8);
  }

  take(socket: Socket): PolledSocket | undefined {
    const handle = handleOf(socket);
    if (handle === undefined || typeof handle.recvStop !== 'function') return undefined;
    const { fd } = handle;
    this.#time.writeInt32LE(1);
    this.#c.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, this.#time, 4);
    handle.recvStop();
    return { read: this.#reader(fd), send: this.#sender(fd) };
  }

  #reader(fd: number): (take: Take) => void {
    const from: Address = { host: '', port: 0 };
    let ip = -1;
    let emptiedMs = Number.NEGATIVE_INFINITY;
    return take => {
      if (this.#nowMs - emptiedMs < ASKED_AGAIN_AFTER_MS) return;
      if (!this.#wallIsNow) this.#readClocks();
      for (let batch = 0; batch < MOST_BATCHES; batch++) {
        const count = this.#c.recvmmsg(fd, this.#messages, BATCH, MSG_DONTWAIT, null);
        for (let slot = 0; slot < count; slot++) {
          const length = this.#messages.readUInt32LE(slot * MESSAGE_BYTES + LENGTH_AT);
          const name = slot * ADDRESS_BYTES;
          const sender = this.#names.readUInt32BE(name + 4);
          if (sender !== ip) {
            ip = sender;
            from.host = `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
          }
          from.port = this.#names.readUInt16BE(name + 2);
          const arrivedMs = this.#nowMs - this.#waitedMs(slot);
          this.#renew(slot);
          take(this.#view(slot, length), from, arrivedMs);
        }
        if (count < BATCH) {
          emptiedMs = this.#nowMs;
          return;
        }
      }
    };
  }

  #view(slot: number, length: number): Uint8Array {
    const start = slot * PACKET_BYTES;
    if (this.#views[slot]!.length !== length) this.#views[slot] = this.#packets.subarray(start, start + length);
    return this.#views[slot]!;
  }

  /** Since it came, as the kernel says. */
  #waitedMs(slot: number): number {
    if (this.#messages.readUInt32LE(slot * MESSAGE_BYTES + CONTROL_LENGTH_AT) < CONTROL_BYTES) return 0;
    const control = slot * CONTROL_BYTES;
    const seconds = this.#wallSeconds - this.#controls.readUInt32LE(control + 16);
    const nanoseconds = this.#wallNanoseconds - this.#controls.readUInt32LE(control + 24);
    const waitedMs = seconds * 1e3 + nanoseconds / 1e6;
    return waitedMs > 0 && waitedMs < LONGEST_WAIT_MS ? waitedMs : 0;
  }

  #sender(fd: number): PolledSocket['send'] {
    const name = Buffer.alloc(128);
    name.writeUInt16LE(AF_INET, 0);
    let host = '';
    return (bytes, length, to) => {
      if (to.host !== host) {
        // An IPv6 peer cannot be reached from here: lost, too.
        if (!isIPv4(to.host)) return;
        host = to.host;
        for (const [at, part] of host.split('.').entries()) name[4 + at] = Number(part);
      }
      name.writeUInt16BE(to.port, 2);
      // What does not fit into the buffer of the kernel is lost, as on the way.
      this.#c.sendto(fd, bytes, length, MSG_DONTWAIT, name, ADDRESS_BYTES);
    };
  }
}

function functions(koffi: typeof import('koffi')) {
  const c = koffi.load(null);
  return {
    recvmmsg: c.func('int recvmmsg(int, void *, unsigned int, int, void *)'),
    sendto: c.func('long sendto(int, const void *, size_t, int, const void *, unsigned int)'),
    setsockopt: c.func('int setsockopt(int, int, int, const void *, unsigned int)'),
    clockGettime: c.func('int clock_gettime(int, void *)'),
  };
}
