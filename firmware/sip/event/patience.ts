/** How long to wait before a server is asked again for something that it has not given: SUBSCRIBE, PUBLISH. */
import { backoff } from '../../lib/backoff.ts';
import type { Random } from '../../lib/random.ts';
import { retryAfterOf } from '../exchange.ts';
import type { Response } from '../message/message.ts';

const firstRetryMs = 1_000;
const retryLimitMs = 300_000;
/** Wrong credentials do not become right in seconds. */
const credentialsRetryMs = 60_000;
/** What a server does not have, or not for us, may be there some day: somebody sets it up, and nobody tells us. */
export const seldomRetryMs = 600_000;
/** A server that asks for more patience than this is not obeyed further. */
const askedLimitMs = 3_600_000;
/** Refused for long: no right, no such user, no such method or event. */
const seldom = [403, 404, 405, 410, 489, 501, 603, 604];

export class Patience {
  readonly #random: Random;
  #pauses: Generator<number, never>;

  constructor(random: Random) {
    this.#random = random;
    this.#pauses = this.#fresh();
  }

  /** It has gone well. */
  reset() {
    this.#pauses = this.#fresh();
  }

  /** After a refusal, silence, or an end that asks for so much patience. Milliseconds. */
  next({ response, leastMs = 0 }: { response?: Response | undefined; leastMs?: number } = {}): number {
    const status = response?.status ?? 0;
    const byStatus = seldom.includes(status)
      ? seldomRetryMs
      : status === 401 || status === 407
        ? credentialsRetryMs
        : 0;
    const asked = response === undefined ? leastMs : (retryAfterOf(response) ?? 0);
    return Math.max(this.#pauses.next().value, byStatus, Math.min(asked, askedLimitMs));
  }

  #fresh() {
    return backoff({ firstMs: firstRetryMs, limitMs: retryLimitMs, random: this.#random });
  }
}

/** Expires of a 2xx; without one what was asked for. Never more than asked: we would be forgotten meanwhile. */
export function expiryOf({ headers }: Response, askedMs: number): number {
  const text = headers.get('Expires')?.trim() ?? '';
  return /^[0-9]{1,9}$/.test(text) ? Math.min(1000 * Number(text), askedMs) : askedMs;
}

/** Before it runs out, and not together with every other device of the site; nor every second. Milliseconds. */
export const refreshAfter = (leftMs: number, random: Random) => Math.max(5_000, leftMs * (0.8 + 0.1 * random.next()));
