/** One multicast address: joined, tried again where that fails, and joined anew from time to time. */
import type { Address } from '../lib/address.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Membership, MulticastNetwork } from './network.ts';

/** A group that cannot be joined is tried again after so long. */
const RETRY_MS = 10_000;
/**
 * Switches forget a member of whom they hear nothing for some minutes, and where no router asks (RFC 3376 §4.1), nobody
 * ever says anything. So it is said between these times, spread, that a hundred speakers may not speak at once.
 */
const RENEW_LEAST_MS = 30_000;
const RENEW_MOST_MS = 60_000;

export interface GroupPortParts {
  clock: Clock;
  random: Random;
  network: MulticastNetwork;
  onPacket(bytes: Uint8Array, from: Address): void;
  /** True while packets come: then there is no need to say anything, and harm in it. */
  isBusy(): boolean;
  /** Joined, or why not. Told when it changes. */
  onChange(why: string | undefined): void;
}

export class GroupPort {
  readonly #address: Address;
  readonly #parts: GroupPortParts;
  #membership: Membership | undefined;
  #cancel: (() => void) | undefined;
  #why: string | undefined = 'not joined yet';
  #stopped = false;

  constructor(address: Address, parts: GroupPortParts) {
    this.#address = address;
    this.#parts = parts;
  }

  start() {
    this.#parts.network.join(this.#address, this.#parts.onPacket, joined => {
      if ('why' in joined) return this.#failed(joined.why);
      if (this.#stopped) return joined.close();
      this.#membership = joined;
      this.#tell(undefined);
      this.#renewLater();
    });
  }

  #failed(why: string) {
    if (this.#stopped) return;
    this.#tell(why);
    this.#cancel = this.#parts.clock.after(RETRY_MS, () => this.start(), 'join group');
  }

  #renewLater() {
    const { clock, random } = this.#parts;
    const ms = RENEW_LEAST_MS + (RENEW_MOST_MS - RENEW_LEAST_MS) * random.next();
    this.#cancel = clock.after(ms, () => this.#renew(), 'renew group');
  }

  #renew() {
    const why = this.#parts.isBusy() ? undefined : this.#membership!.renew();
    if (why === undefined) return this.#renewLater();
    this.#membership!.close();
    this.#membership = undefined;
    this.#failed(why);
  }

  #tell(why: string | undefined) {
    if (why === this.#why) return;
    this.#why = why;
    this.#parts.onChange(why);
  }

  stop() {
    this.#stopped = true;
    this.#cancel?.();
    this.#membership?.close();
  }
}
