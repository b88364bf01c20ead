/** The kernel's watchdog device: unless it is fed in time, the hardware resets the board. */
import type { Watchdog } from '../contracts.ts';
import type { Kernel } from '../kernel.ts';
import { ioc, kernelError } from '../kernel.ts';

/** linux/watchdog.h, WDIOC_SETTIMEOUT: int seconds in, the seconds really taken out. */
const SET_TIMEOUT = ioc(3, 'W'.charCodeAt(0), 6, 4);
/** Written last, it tells the kernel that the closing is meant: Documentation/watchdog/watchdog-api.rst "Magic Close". */
const MAGIC_CLOSE = Buffer.from('V');
const FEED = Buffer.from('\0');

export class LinuxWatchdog implements Watchdog {
  readonly #findKernel: () => Kernel;
  readonly #path: string;
  #armed: { kernel: Kernel; fd: number } | undefined;

  /** The kernel is asked for on `start`: a board without the libraries for it says so then. */
  constructor(findKernel: () => Kernel, path: string) {
    this.#findKernel = findKernel;
    this.#path = path;
  }

  /** Whole seconds, rounded up. A driver that cannot change its timeout keeps its own, which is no error. */
  start(timeoutMs: number) {
    if (this.#armed !== undefined) return;
    const kernel = this.#findKernel();
    const seconds = Buffer.alloc(4);
    seconds.writeInt32LE(Math.ceil(timeoutMs / 1000));
    try {
      this.#armed = { kernel, fd: kernel.open(this.#path) };
      kernel.ioctl(this.#armed.fd, SET_TIMEOUT, seconds);
    } catch (error) {
      const failure = kernelError(`watchdog ${this.#path}`, error);
      if (this.#armed !== undefined && failure.code === 'unsupported') return;
      this.stop();
      throw failure;
    }
  }

  feed() {
    if (this.#armed === undefined) return;
    try {
      this.#armed.kernel.write(this.#armed.fd, FEED);
    } catch (error) {
      throw kernelError(`watchdog ${this.#path}`, error);
    }
  }

  stop() {
    if (this.#armed === undefined) return;
    const { kernel, fd } = this.#armed;
    this.#armed = undefined;
    try {
      kernel.write(fd, MAGIC_CLOSE);
    } catch {
      // The board resets then, which is what an unfed watchdog is for.
    }
    kernel.close(fd);
  }
}
