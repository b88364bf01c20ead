/**
 * How long a server is asked to keep what we tell it, and what a 423 makes of that: REGISTER (RFC 3261 §10.2.8),
 * SUBSCRIBE (RFC 6665 §4.1.2.1), PUBLISH (RFC 3903 §6).
 */
import { parseNumber } from './message/grammar.ts';
import type { Response } from './message/message.ts';

/** How often a server may find our time too short before it takes one: it could go up by seconds. */
const tooBriefLimit = 3;
/** The longest time that we let a server make us ask for. Milliseconds. */
const longestMs = 86_400_000;

export class AskedExpiry {
  ms: number;
  #tooBrief = 0;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** The value of Expires. */
  get seconds(): string {
    return String(Math.round(this.ms / 1000));
  }

  /** Whether a refusal names a longer time that can be borne: it is asked for from now on. */
  lengthens({ status, headers }: Response): boolean {
    const leastMs = 1000 * (parseNumber(headers.get('Min-Expires')?.trim() ?? '', longestMs / 1000) ?? 0);
    if (status !== 423 || leastMs <= this.ms || this.#tooBrief >= tooBriefLimit) return false;
    this.#tooBrief++;
    this.ms = leastMs;
    return true;
  }

  /** It was taken, or given up for now: what comes later is counted anew. */
  settled() {
    this.#tooBrief = 0;
  }
}
