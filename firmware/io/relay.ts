/** A door relay: closed for a stated time, never longer, and back to its safe level whatever happens. */
import type { DigitalOutput } from '../../hal/contracts.ts';
import type { Clock } from '../lib/clock.ts';

/** No relay stays off its safe level longer than this, whatever the configuration says. Milliseconds. */
export const RELAY_LIMIT_MS = 60_000;

export type RelayEvent = { is: 'closed'; forMs: number } | { is: 'opened' } | { is: 'fault'; why: string };

export class Relay {
  readonly #clock: Clock;
  readonly #output: DigitalOutput;
  readonly #tell: (event: RelayEvent) => void;
  #cancel: (() => void) | undefined;
  #fault: string | undefined;

  constructor(clock: Clock, output: DigitalOutput, tell: (event: RelayEvent) => void) {
    this.#clock = clock;
    this.#output = output;
    this.#tell = tell;
  }

  /** Puts it at rest, and finds out whether it can be moved at all. */
  start() {
    this.#fault = this.#write(this.#output.safe);
    if (this.#fault !== undefined) this.#tell({ is: 'fault', why: this.#fault });
  }

  /** Energised now. */
  get active() {
    return this.#cancel !== undefined;
  }

  get fault() {
    return this.#fault;
  }

  /** Energises the relay; again while it is energised starts the time anew. Answers why it could not. */
  pulse(forMs: number): string | undefined {
    const limitedMs = Math.min(forMs, RELAY_LIMIT_MS);
    const again = this.active;
    this.#cancel?.();
    this.#cancel = undefined;
    const fault = this.#write(!this.#output.safe);
    if (fault !== undefined) {
      this.#write(this.#output.safe);
      this.#fault = fault;
      this.#tell({ is: 'fault', why: fault });
      return fault;
    }
    this.#fault = undefined;
    this.#cancel = this.#clock.after(limitedMs, () => this.rest(), 'relay');
    if (!again) this.#tell({ is: 'closed', forMs: limitedMs });
    return undefined;
  }

  /** Back to the safe level now. */
  rest() {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#fault = this.#write(this.#output.safe);
    this.#tell(this.#fault === undefined ? { is: 'opened' } : { is: 'fault', why: this.#fault });
  }

  stop() {
    this.rest();
  }

  /** Writes and reads back: a relay that did not follow is a fault, not an opened door. Answers why it did not. */
  #write(active: boolean): string | undefined {
    try {
      this.#output.write(active);
      return this.#output.read() === active ? undefined : `${this.#output.name} did not follow`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
