/** A clock that knows what is armed on it, so that nothing outlives the user agent. */
import type { Clock } from '../lib/clock.ts';

export class Timers implements Clock {
  readonly #clock: Clock;
  readonly #armed = new Set<() => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now() {
    return this.#clock.now();
  }

  after(delayMs: number, task: () => void, name?: string) {
    if (this.#closed) return () => {};
    const cancel = () => {
      if (this.#armed.delete(cancel)) disarm();
    };
    const disarm = this.#clock.after(
      delayMs,
      () => {
        this.#armed.delete(cancel);
        task();
      },
      name,
    );
    this.#armed.add(cancel);
    return cancel;
  }

  get size() {
    return this.#armed.size;
  }

  /** Cancels everything; nothing is armed any more. */
  close() {
    this.#closed = true;
    for (const cancel of [...this.#armed]) cancel();
  }
}
