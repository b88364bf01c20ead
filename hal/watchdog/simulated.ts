/** A watchdog in memory: says that it would have reset the board. */
import type { Clock, Watchdog } from '../contracts.ts';

export class SimulatedWatchdog implements Watchdog {
  readonly #clock: Clock;
  readonly #onExpire: () => void;
  #timeoutMs = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onExpire: () => void = () => {}) {
    this.#clock = clock;
    this.#onExpire = onExpire;
  }

  get armed() {
    return this.#cancel !== undefined;
  }

  start(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#arm();
  }

  feed() {
    if (this.armed) this.#arm();
  }

  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm() {
    this.#cancel?.();
    this.#cancel = this.#clock.after(
      this.#timeoutMs,
      () => {
        this.#cancel = undefined;
        this.#onExpire();
      },
      'watchdog',
    );
  }
}
