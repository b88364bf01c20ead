/**
 * Keeps the way open by which the registrar reaches us over UDP, and notices when it has changed (RFC 5626 §4.4). What
 * is kept of connections is in `transport/connection.ts`.
 */
import { type Address, printAddress, sameAddress } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Transport } from '../contracts.ts';
import { type Hop, isReliable, printHop } from '../hop.ts';
import type { AccountSettings } from '../settings.ts';
import type { StunEndpoint } from './stun-endpoint.ts';

/** The longest pause over UDP where nobody says otherwise (RFC 5626 §4.4.2): a NAT may forget after 30 s. */
const datagramPauseMs = 29_000;

const lineEnds = Buffer.from('\r\n\r\n');

/** `stun` tells when the way is gone; `crlf` only holds it open. */
export type KeepAliveMethod = 'crlf' | 'stun';

/** §4.4: somewhere in the last fifth of the pause. Milliseconds. */
const pauseWithin = (longestMs: number, random: Random) => longestMs * (0.8 + 0.2 * random.next());

export interface FollowFacts {
  settings: AccountSettings;
  /** Flow-Timer of the registrar's answer (RFC 5626 §4.4). */
  flowTimerMs: number | undefined;
  hasFlow: boolean;
  isBehindNat: boolean;
}

export interface KeepAliveParts {
  clock: Clock;
  random: Random;
  log: Log;
  transport: Transport;
  stun: StunEndpoint;
}

export class KeepAlive {
  readonly #parts: KeepAliveParts;
  readonly #onFailed: (why: string, mapped?: Address) => void;
  #mapped: Address | undefined;
  /** This server has answered STUN: so it always will. */
  #answers = false;
  #cancel = () => {};
  #cancelAsking = () => {};
  #running: { to: Hop; method: KeepAliveMethod; longestMs: number } | undefined;

  /** `onFailed`: the registrar reaches us by this way no more; `mapped`: where it sees us now, if it sees us. */
  constructor(parts: KeepAliveParts, onFailed: (why: string, mapped?: Address) => void) {
    this.#parts = parts;
    this.#onFailed = onFailed;
  }

  /** The registrar has answered from there: what it said, and what the configuration says, counts from now on. */
  follow(to: Hop | undefined, facts: FollowFacts) {
    if (to === undefined) return;
    const { keepAlive: setting = 'auto', keepAliveMs } = facts.settings;
    const { flowTimerMs, hasFlow, isBehindNat } = facts;
    if (!isReliable(to)) {
      const how = keepAliveFor({ setting, longestMs: keepAliveMs, flowTimerMs, hasFlow, isBehindNat });
      if (how === undefined) this.stop();
      else this.start(to, how.method, how.longestMs);
      return;
    }
    this.stop();
    const wanted = [keepAliveMs, flowTimerMs].filter(ms => ms !== undefined);
    const longestMs = setting === 'off' ? 0 : wanted.length > 0 ? Math.min(...wanted) : undefined;
    // RFC 5626 §5.4: who keeps a flow answers.
    const answers = hasFlow || flowTimerMs !== undefined;
    this.#parts.transport.keepAlive?.(to, { answers, ...(longestMs !== undefined && { longestMs }) });
  }

  /** From now on, in place of what was before. */
  start(to: Hop, method: KeepAliveMethod, longestMs: number) {
    const before = this.#running;
    this.stop();
    if (before === undefined || printHop(before.to) !== printHop(to)) {
      this.#answers = false;
      this.#mapped = undefined;
    }
    this.#running = { to, method, longestMs };
    if (method === 'stun') this.#ask();
    else this.#later();
  }

  stop() {
    this.#cancel();
    this.#cancelAsking();
    this.#running = undefined;
  }

  #later() {
    const { clock, random } = this.#parts;
    const { longestMs } = this.#running!;
    this.#cancel = clock.after(pauseWithin(longestMs, random), () => this.#beat(), 'keep-alive');
  }

  #beat() {
    const { to, method } = this.#running!;
    if (method === 'stun') return this.#ask();
    this.#parts.transport.send(lineEnds, to);
    this.#later();
  }

  #ask() {
    const { to } = this.#running!;
    this.#cancelAsking = this.#parts.stun.ask(to, result => {
      if (!result.answered) return this.#silent();
      this.#answers = true;
      const seen = result.mapped === undefined ? undefined : printAddress(result.mapped);
      this.#parts.log.debug('keep-alive answered', { server: printHop(to), seen });
      const before = this.#mapped;
      this.#mapped = result.mapped ?? before;
      const moved = before !== undefined && result.mapped !== undefined && !sameAddress(before, result.mapped);
      if (moved) this.#fail(`the network shows us as ${printAddress(result.mapped!)} now`, result.mapped);
      else this.#later();
    });
  }

  #silent() {
    const { to } = this.#running!;
    if (this.#answers) return this.#fail(`${printHop(to)} does not answer keep-alives any more`);
    // Departs from RFC 5626 §4.4.2, which has a server that never answers fail: it would be registered with anew for ever.
    this.#parts.log.warn('no answer to STUN: the way is held open by CRLF', { server: printHop(to) });
    this.#running = { ...this.#running!, method: 'crlf' };
    this.#beat();
  }

  #fail(why: string, mapped?: Address) {
    this.stop();
    this.#answers = false;
    this.#mapped = undefined;
    this.#onFailed(why, mapped);
  }
}

/** How the way to a registrar is kept open; undefined: not at all. */
export function keepAliveFor(facts: {
  setting: 'auto' | 'off' | KeepAliveMethod;
  /** Of the configuration. */
  longestMs: number | undefined;
  /** The registrar takes STUN, and wants to hear from us this often (RFC 5626 §4.4). */
  flowTimerMs: number | undefined;
  hasFlow: boolean;
  isBehindNat: boolean;
}): { method: KeepAliveMethod; longestMs: number } | undefined {
  const { setting, flowTimerMs, hasFlow, isBehindNat } = facts;
  const longestMs = Math.min(
    facts.longestMs ?? flowTimerMs ?? datagramPauseMs,
    flowTimerMs ?? Number.POSITIVE_INFINITY,
  );
  if (setting === 'off') return undefined;
  if (setting !== 'auto') return { method: setting, longestMs };
  if (flowTimerMs !== undefined || hasFlow) return { method: 'stun', longestMs };
  return isBehindNat ? { method: 'crlf', longestMs } : undefined;
}
