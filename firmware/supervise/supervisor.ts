/** Feeds a watchdog, the board's or the service manager's, for as long as the device is alive in every part that can hang. */
import type { Clock, Watchdog } from '../../hal/contracts.ts';
import type { Log } from '../lib/log.ts';

/** The board resets when it has not been fed for so long. Milliseconds. */
export const WATCHDOG_MS = 15_000;

export class Supervisor {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watchdog: Watchdog;
  readonly #timeoutMs: number;
  /** Asks a part whether it still answers; `answered` is called when it does. */
  readonly #probe: (answered: () => void) => void;
  #cancel: (() => void) | undefined;

  /** `timeoutMs`: it bites when it has not been fed for so long. */
  constructor(parts: {
    clock: Clock;
    log: Log;
    watchdog: Watchdog;
    timeoutMs?: number;
    probe: (answered: () => void) => void;
  }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#watchdog = parts.watchdog;
    this.#timeoutMs = parts.timeoutMs ?? WATCHDOG_MS;
    this.#probe = parts.probe;
  }

  start() {
    try {
      this.#watchdog.start(this.#timeoutMs);
    } catch (error) {
      this.#log.error('no watchdog', { why: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#round();
  }

  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#watchdog.stop();
  }

  /** One that cannot be fed bites in time; until then the device goes on. */
  #feed() {
    try {
      this.#watchdog.feed();
    } catch (error) {
      this.#log.error('watchdog not fed', { why: error instanceof Error ? error.message : String(error) });
    }
  }

  #round() {
    this.#cancel = this.#clock.after(
      this.#timeoutMs / 3,
      () => {
        this.#probe(() => {
          if (this.#cancel !== undefined) this.#feed();
        });
        this.#round();
      },
      'watchdog',
    );
  }
}
