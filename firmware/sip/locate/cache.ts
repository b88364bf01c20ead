/** What DNS said, for as long as it said so; and for longer while it says nothing at all (RFC 8767). */
import type { Clock } from '../../lib/clock.ts';
import type { Found } from './services.ts';

/** Names remembered; the one asked for longest ago goes first. */
export const nameLimit = 256;
/** No record is believed longer than this, whatever it says. */
const ttlLimitMs = 86_400_000;
/** How long outdated records still count while DNS does not answer: a door must ring through a weekend without it. */
const staleLimitMs = 3 * 86_400_000;
/** Records of one name that are looked at. */
export const recordLimit = 16;
/** What a DNS that says nothing answers, so to speak: it is gone. */
export const silence = { why: 'DNS does not answer' } as const;

/** How soon a DNS that did not answer is asked again where an older answer is known (RFC 8767 §5). */
export const askAgainMs = 30_000;

export interface Patience {
  /** A DNS that has not answered by then is gone: the caller stands at the door. */
  limitMs: number;
  /** How soon a question is asked again that was not answered, and to which no older answer is known. */
  askAgainMs: number;
}

interface Entry {
  found: Found<unknown>;
  /** Not asked again before. */
  untilMs: number;
  /** The records were good until then. */
  freshUntilMs: number;
}

export class DnsCache {
  readonly #clock: Clock;
  readonly #known = new Map<string, Entry>();
  readonly #waiting = new Map<string, ((found: Found<unknown>) => void)[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `done` is called once: at once where the answer is known. Questions that are under way are not asked twice. */
  ask<Record>(
    question: string,
    patience: Patience,
    ask: (done: (found: Found<Record>) => void) => void,
    done: (found: Found<Record>) => void,
  ) {
    const known = this.#known.get(question);
    if (known !== undefined && known.untilMs > this.#clock.now()) return done(known.found as Found<Record>);
    const waiting = this.#waiting.get(question);
    const tell = done as (found: Found<unknown>) => void;
    if (waiting !== undefined) return void waiting.push(tell);
    this.#waiting.set(question, [tell]);
    let answered = false;
    const answer = (found: Found<Record>) => {
      if (answered) return;
      answered = true;
      stopWaiting();
      this.#answered(question, found, patience);
    };
    const stopWaiting = this.#clock.after(patience.limitMs, () => answer(silence), 'DNS');
    ask(answer);
  }

  /** Asks each question anew; what DNS once said still counts while it is silent. */
  doubt() {
    for (const [question, entry] of this.#known) {
      if ('records' in entry.found) entry.untilMs = this.#clock.now();
      else this.#known.delete(question);
    }
  }

  #answered<Record>(question: string, found: Found<Record>, patience: Patience) {
    const waiting = this.#waiting.get(question) ?? [];
    this.#waiting.delete(question);
    const entry = this.#entryOf(found, this.#known.get(question), patience);
    this.#known.delete(question);
    this.#known.set(question, entry);
    if (this.#known.size > nameLimit) this.#known.delete(this.#known.keys().next().value!);
    for (const tell of waiting) tell(entry.found);
  }

  #entryOf<Record>(found: Found<Record>, before: Entry | undefined, patience: Patience): Entry {
    const nowMs = this.#clock.now();
    if ('records' in found) {
      const untilMs = nowMs + Math.min(Math.max(found.ttlMs, 0), ttlLimitMs);
      return { found: { ...found, records: found.records.slice(0, recordLimit) }, untilMs, freshUntilMs: untilMs };
    }
    const isUseful = before !== undefined && 'records' in before.found && before.freshUntilMs + staleLimitMs > nowMs;
    if (isUseful) return { ...before, untilMs: nowMs + askAgainMs };
    return { found, untilMs: nowMs + patience.askAgainMs, freshUntilMs: nowMs };
  }
}
