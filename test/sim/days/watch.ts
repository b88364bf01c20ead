/** Looks at a town while its day goes on, and at its end: what may never be, whatever happens. */
import type { SipCounters } from '../../../firmware/sip/counters.ts';
import type { Speaker } from './speaker.ts';

/** What a user agent of a few calls may have going at once. Far above what is needed, far below what a leak reaches. */
const mostTransactions = 200;
const mostTimers = 400;
/** Of faults that are told. */
const faultLimit = 20;

/** What the registration needs between two calls: a REGISTER to each server on its way, the next one, keep-alive. */
const registering = { transactions: 4, timers: 2 };

/** What the watch looks at: a town, or something that a test has built like one. */
export interface Watched {
  readonly speakers: readonly Pick<Speaker, 'name' | 'userAgent' | 'isDead' | 'records'>[];
  readonly clock: { readonly armed: readonly string[]; now(): number };
}

export class Watch {
  readonly faults: string[] = [];
  readonly #counters = new Map<object, SipCounters>();

  fault(what: string) {
    if (this.faults.length < faultLimit) this.faults.push(what);
  }

  /** At any moment. */
  look({ speakers, clock }: Watched) {
    const at = `${Math.round(clock.now() / 1000)} s`;
    for (const { name, userAgent } of speakers) {
      const { transactions, timers } = userAgent.alive;
      if (transactions > mostTransactions) this.fault(`${name} has ${transactions} transactions at ${at}`);
      if (timers > mostTimers) this.fault(`${name} has ${timers} timers at ${at}`);
      const before = this.#counters.get(userAgent);
      const now = { ...userAgent.counters };
      for (const [counter, value] of Object.entries(now) as [keyof SipCounters, number][]) {
        if (!(value >= (before?.[counter] ?? 0))) this.fault(`${name}: ${counter} went back to ${value} at ${at}`);
      }
      this.#counters.set(userAgent, now);
    }
  }

  /** Long after the last deed: every call is over, and only registrations go on. */
  atRest({ speakers, clock }: Watched) {
    const armed = () => [...new Set(clock.armed)].join(', ');
    for (const { name, userAgent, isDead } of speakers) {
      if (isDead) continue;
      const { calls, timers, transactions } = userAgent.alive;
      if (calls > 0) this.fault(`${name} still has ${calls} calls`);
      // A registrar answers for ever; a device keeps its registration.
      if (name.startsWith('pbx')) continue;
      const own = name === 'front' ? registering : { transactions: 0, timers: 0 };
      if (transactions > own.transactions) this.fault(`${name} still has ${transactions} transactions`);
      if (transactions === 0 && timers > own.timers)
        this.fault(`${name} still has ${timers} timers; armed: ${armed()}`);
    }
  }

  /** As its stop is told to be done. */
  stopped({ name, userAgent }: Pick<Speaker, 'name' | 'userAgent'>) {
    const { transactions, calls, timers } = userAgent.alive;
    if (transactions + calls + timers > 0)
      this.fault(`${name} has stopped with ${transactions} transactions, ${calls} calls, ${timers} timers`);
  }

  /** After everybody has stopped. */
  over({ speakers, clock }: Watched) {
    for (const { name, userAgent, isDead } of speakers) {
      const { transactions, calls, timers } = userAgent.alive;
      if (!isDead && transactions + calls + timers > 0)
        this.fault(`${name} left behind: ${transactions} transactions, ${calls} calls, ${timers} timers`);
    }
    if (clock.armed.length > 0) this.fault(`still armed: ${[...new Set(clock.armed)].join(', ')}`);
  }
}
