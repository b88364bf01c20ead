/** Watches the machine's addresses: a lease, a cable or an interface that comes or goes. Asks for them by a clock; no I/O. */
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../lib/clock.ts';

/** How often the addresses are looked at. A look costs microseconds. */
export const lookEveryMs = 1_000;

export interface LinkChange {
  /** Present now. None: no link is up. */
  addresses: readonly string[];
  came: readonly string[];
  gone: readonly string[];
}

export class LinkWatch {
  readonly #clock: Clock;
  readonly #look: () => readonly string[] | undefined;
  readonly #onChange: (change: LinkChange) => void;
  #known: readonly string[] = [];
  #cancel = () => {};

  /** `look` answers undefined where the machine cannot tell just now. */
  constructor(clock: Clock, look: () => readonly string[] | undefined, onChange: (change: LinkChange) => void) {
    this.#clock = clock;
    this.#look = look;
    this.#onChange = onChange;
  }

  start() {
    this.#known = this.#look() ?? [];
    this.#lookLater();
  }

  stop() {
    this.#cancel();
  }

  #lookLater() {
    this.#cancel = this.#clock.after(
      lookEveryMs,
      () => {
        this.#lookLater();
        const before = this.#known;
        this.#known = this.#look() ?? before;
        const change = changeBetween(before, this.#known);
        if (change !== undefined) this.#onChange(change);
      },
      'addresses',
    );
  }
}

/** Undefined where the two hold the same addresses, in whatever order. */
export function changeBetween(before: readonly string[], now: readonly string[]): LinkChange | undefined {
  const came = now.filter(address => !before.includes(address));
  const gone = before.filter(address => !now.includes(address));
  return came.length === 0 && gone.length === 0 ? undefined : { addresses: now, came, gone };
}

/**
 * Addresses of this machine that others can reach: of interfaces whose link is up (others are not listed), without
 * loopback and without link-local IPv6, which no Contact can name (RFC 4291 §2.5.6).
 */
export function systemAddresses(): readonly string[] | undefined {
  try {
    return Object.values(networkInterfaces())
      .flatMap(entries => entries ?? [])
      .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address))
      .map(({ address }) => address);
  } catch {
    // The kernel is asked by a socket, and a flood may have taken the last one.
    return undefined;
  }
}
