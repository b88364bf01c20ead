/**
 * One press, one key: a telephone may tell the same press as RTP event (RFC 4733) and as INFO, and a door code with
 * doubled digits opens nothing. Each telling of one kind is paired with one of the other kind that is near in time.
 */
import type { Clock } from '../lib/clock.ts';

export type KeyMethod = 'rtp' | 'info';

/** How far apart the two tellings of one press may be: an INFO that was lost twice comes 1.5 s late. Milliseconds. */
const slackMs = 2_000;

/** Presses that still wait for their second telling; more than fingers can do. */
const waitingLimit = 16;

export class KeyPresses {
  readonly #clock: Clock;
  /** Told once so far. `untilMs`: a telling after this is another press. */
  #waiting: { key: string; by: KeyMethod; untilMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False where this press has been told already. An RTP event is told at its end, an INFO perhaps at the start. */
  isNew(key: string, by: KeyMethod, lastedMs: number): boolean {
    const nowMs = this.#clock.now();
    const startedMs = by === 'rtp' ? nowMs - lastedMs : nowMs;
    this.#waiting = this.#waiting.filter(({ untilMs }) => untilMs >= startedMs);
    const twin = this.#waiting.findIndex(other => other.key === key && other.by !== by);
    if (twin >= 0) {
      this.#waiting.splice(twin, 1);
      return false;
    }
    this.#waiting.push({ key, by, untilMs: nowMs + slackMs });
    if (this.#waiting.length > waitingLimit) this.#waiting.shift();
    return true;
  }
}
