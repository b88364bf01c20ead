/**
 * Tells systemd that the device is ready, alive and stopping: sd_notify(3), a datagram to a unix socket, which Node has no
 * call for. Started by anything else, nobody is told.
 */
import { getSystemErrorName } from 'node:util';
import { HalError, type Watchdog } from './contracts.ts';
import { loadKoffi } from './native.ts';

// sys/socket.h, the same on x86-64 and arm64.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** A service manager that does not read must not hold the thread that closes relays. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sun_path in struct sockaddr_un. Bytes. */
const LONGEST_PATH = 107;

/** What systemd sets for a service: $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. */
export interface ServiceEnvironment {
  socket: string | undefined;
  watchdogUs: string | undefined;
  watchdogPid: string | undefined;
}

/** Sends lines such as `READY=1`. Throws HalError. */
export type Tell = (lines: string) => void;

/** As a watchdog, systemd kills and restarts a process that has not fed it within `WatchdogSec=` of the unit. */
export class Systemd implements Watchdog {
  /** Undefined: the unit asks for none. */
  readonly timeoutMs: number | undefined;
  /** A line for whoever asks `systemctl status`; told with each sign of life. */
  describe: () => string = () => '';
  readonly #tell: Tell;
  /** A manager that was too busy to hear of it would wait for it, and end the service at last: it hears with the next sign of life. */
  #readyUnheard = false;

  constructor(tell: Tell, timeoutMs: number | undefined) {
    this.#tell = tell;
    this.timeoutMs = timeoutMs;
  }

  ready() {
    this.#readyUnheard = true;
    this.#tell('READY=1');
    this.#readyUnheard = false;
  }

  stopping() {
    this.#readyUnheard = false;
    this.#tell('STOPPING=1');
  }

  /** The unit says how long; the clock runs since `ready`, whoever hears it: one who is busy now is fed in time. */
  start() {}

  feed() {
    const status = this.describe().replaceAll('\n', ' ');
    const lines = ['WATCHDOG=1'];
    if (this.#readyUnheard) lines.unshift('READY=1');
    if (status !== '') lines.push(`STATUS=${status}`);
    this.#tell(lines.join('\n'));
    this.#readyUnheard = false;
  }

  /** systemd goes by STOPPING=1 and the end of the process. */
  stop() {}
}

/** Undefined where no service manager waits for word. */
export function findSystemd({ socket, watchdogUs, watchdogPid }: ServiceEnvironment, pid: number) {
  if (!socket) return undefined;
  // sd_watchdog_enabled(3): the variables may have been meant for a parent.
  const mine = watchdogPid === undefined || Number(watchdogPid) === pid;
  const timeoutMs = Number(watchdogUs) / 1000;
  return new Systemd(teller(socket), mine && timeoutMs > 0 ? timeoutMs : undefined);
}

/** `path` with a leading `@` is a name that is no file. */
function teller(path: string): Tell {
  const name = Buffer.from(path.replace(/^@/, '\0'));
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  let send: ((message: Buffer) => string | undefined) | undefined;
  return lines => {
    if (name.length > LONGEST_PATH) throw new HalError('unsupported', `service manager: ${path} is too long`);
    send ??= openLibrary(address);
    const code = send(Buffer.from(lines));
    if (code !== undefined) throw new HalError('io', `service manager at ${path}: ${code}`);
  };
}

/** What it returns sends one datagram, and returns the name of the error, if any. */
function openLibrary(address: Buffer) {
  const koffi = loadKoffi();
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const sendto = libc.func('long sendto(int, const void *, unsigned long, int, const void *, unsigned int)');
  const close = libc.func('int close(int)');
  const failed = () => getSystemErrorName(-koffi.errno());
  return (message: Buffer) => {
    const fd: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed();
    const sent: number = sendto(fd, message, message.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
    const code = sent < 0 ? failed() : undefined;
    close(fd);
    return code;
  };
}
