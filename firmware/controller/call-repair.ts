/** Brings the sound of one call back after the device's own address has changed: a new offer, from where it is now. */
import type { Clock } from '../lib/clock.ts';

/** Pauses between the tries. Somebody is waiting; and a route comes a moment after its address. */
const pausesMs = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

export interface CallRepairParts {
  clock: Clock;
  /** The address of ours that the other side can send to now; undefined while there is none. */
  hostNow(): string | undefined;
  /** The one that it was told last. */
  hostTold(): string;
  /** Offers this one; `answered` is told what becomes of it, perhaps at once. */
  offer(host: string): void;
  /** Calls once more from this one: no answer could reach us where the first call came from. */
  callAnew(host: string): void;
  onRepaired(host: string): void;
  /** No try was of use: the call goes on until nothing has been heard for too long. */
  onFailed(why: string): void;
}

export class CallRepair {
  readonly #parts: CallRepairParts;
  /** The network has changed since the other side was told an address. */
  #due = false;
  /** The address of an offer that is not answered yet. */
  #offered: string | undefined;
  /** It was told, and did not take it. */
  #refused = false;
  #tries = 0;
  #cancel = () => {};

  constructor(parts: CallRepairParts) {
    this.#parts = parts;
  }

  /** An address has come or gone. */
  networkChanged(phase: 'calling' | 'talking' | 'other') {
    this.#due = true;
    this.#tries = 0;
    // An answer to where we were would never come.
    if (this.#offered !== undefined && this.#offered !== this.#parts.hostNow()) this.#offered = undefined;
    if (phase === 'talking') this.look();
    if (phase !== 'calling') return;
    const host = this.#parts.hostNow();
    if (host !== undefined && host !== this.#parts.hostTold()) this.#parts.callAnew(host);
  }

  /** The call is up. */
  look() {
    if (!this.#due || this.#offered !== undefined) return;
    this.#cancel();
    const host = this.#parts.hostNow();
    if (host === undefined) return this.#later('no address to be reached at');
    if (host === this.#parts.hostTold() && !this.#refused) {
      this.#due = false;
      return;
    }
    this.#offered = host;
    this.#parts.offer(host);
  }

  /** How an offer inside the call ended. */
  answered(refusal: { status: number; reason: string } | undefined) {
    const host = this.#offered;
    if (host === undefined) return;
    this.#offered = undefined;
    this.#refused = refusal !== undefined;
    if (refusal !== undefined) return this.#later(`${refusal.status} ${refusal.reason}`);
    this.#parts.onRepaired(host);
    this.#tries = 0;
    // It may have changed once more meanwhile.
    this.look();
  }

  stop() {
    this.#cancel();
  }

  #later(why: string) {
    const pauseMs = pausesMs[this.#tries++];
    if (pauseMs !== undefined) {
      this.#cancel = this.#parts.clock.after(pauseMs, () => this.look(), 'call repair');
      return;
    }
    this.#due = false;
    this.#parts.onFailed(why);
  }
}
