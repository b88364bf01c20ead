/**
 * One press, one key: a telephone may tell the same press as RTP event (RFC 4733), as INFO and as tones in the sound,
 * and a door code with doubled digits opens nothing. A telling goes with one of another kind that is near in time.
 */
import type { Clock } from '../lib/clock.ts';

export type KeyMethod = 'rtp' | 'info' | 'audio';

/** How far apart the two tellings of one press may be: an INFO that was lost twice comes 1.5 s late. Milliseconds. */
const slackMs = 2_000;

/** Presses that still wait for another telling; more than fingers can do. */
const waitingLimit = 16;

export class KeyPresses {
  readonly #clock: Clock;
  /** Told, and by which ways so far. `untilMs`: a telling after this is another press. */
  #waiting: { key: string; by: Set<KeyMethod>; untilMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False where this press has been told already. Events and tones are told at their end, an INFO perhaps at the start. */
  isNew(key: string, by: KeyMethod, lastedMs: number): boolean {
    const nowMs = this.#clock.now();
    const startedMs = by === 'info' ? nowMs : nowMs - lastedMs;
    this.#waiting = this.#waiting.filter(({ untilMs }) => untilMs >= startedMs);
    const told = this.#waiting.find(other => other.key === key && !other.by.has(by));
    if (told !== undefined) {
      told.by.add(by);
      return false;
    }
    this.#waiting.push({ key, by: new Set([by]), untilMs: nowMs + slackMs });
    if (this.#waiting.length > waitingLimit) this.#waiting.shift();
    return true;
  }
}
