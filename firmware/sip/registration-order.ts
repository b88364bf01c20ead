/**
 * Which accounts register: all at once, or only the first that can. Serial: when one fails the next takes over, while
 * the one before goes on trying; when that is back, those after it take their registrations away.
 */
import type { RegistrationState } from './contracts.ts';

/** An account's registration, by all its ways. */
export interface Registering {
  start(): void;
  stop(done: () => void): void;
}

export class RegistrationOrder {
  readonly #registrations: readonly Registering[];
  readonly #isSerial: boolean;
  /** How many of them run, from the first on. */
  #running = 0;

  constructor(registrations: readonly Registering[], isSerial: boolean) {
    this.#registrations = registrations;
    this.#isSerial = isSerial;
  }

  start() {
    this.#runAlso(this.#isSerial ? 1 : this.#registrations.length);
  }

  /** One of them has told its state. */
  changed(registration: Registering, { is }: RegistrationState) {
    if (!this.#isSerial) return;
    const count = this.#registrations.indexOf(registration) + 1;
    if (is === 'failed' && count === this.#running) this.#runAlso(count + 1);
    if (is !== 'registered') return;
    const late = this.#registrations.slice(count, this.#running);
    this.#running = Math.min(this.#running, count);
    for (const other of late) other.stop(() => {});
  }

  #runAlso(count: number) {
    const more = this.#registrations.slice(this.#running, count);
    this.#running = Math.min(count, this.#registrations.length);
    for (const registration of more) registration.start();
  }
}
