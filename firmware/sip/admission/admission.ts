/**
 * Who is let in before any work is done for him: so many messages a second from each source and from all, scanners
 * never. What is too much is told so while there is time for that, else dropped; what belongs to a call that is up, and
 * what comes from the accounts' own servers, goes first. No I/O of its own.
 */
import type { Clock } from '../../lib/clock.ts';
import type { IgnoredMessages } from '../contracts.ts';
import type { SipCounters } from '../counters.ts';
import type { Hop } from '../hop.ts';
import type { Request } from '../message/message.ts';
import { Bucket, type Rate } from './bucket.ts';
import { kindOf } from './peek.ts';
import { type Ours, whyIgnored } from './scanner.ts';
import { Sources } from './sources.ts';

/** Of all sources together that are not trusted. */
export const strangerInvites: Rate = { perSecond: 50, burst: 100 };
export const strangerOthers: Rate = { perSecond: 200, burst: 400 };
/** Of trusted sources and of calls that are up: more than any PBX sends to one device. */
export const trustedInvites: Rate = { perSecond: 500, burst: 500 };
const trustedOthers: Rate = { perSecond: 2_000, burst: 2_000 };
/** Of 503 to what is too much; strangers leave half of them to those we know. */
export const refusals: Rate = { perSecond: 20, burst: 40 };
/** Hosts that we have asked something lately, and whose answers are therefore welcome. */
const askedLimit = 64;
/** How long an answer may take: a little more than 64*T1. Milliseconds. */
const answerLimitMs = 40_000;
/** A source that is ignored is told of once in so long. Milliseconds. */
const tellAgainMs = 60_000;
/** Of all sources together: an attacker can have as many addresses as it likes. */
const tellRate: Rate = { perSecond: 0.1, burst: 10 };

export interface AdmissionParts {
  clock: Clock;
  counters: SipCounters;
  /** Whose messages go first, and who is no scanner. */
  trusts: (host: string) => boolean;
  /** Whether it names a call that is up: nobody else knows its Call-ID. */
  isOfCall: (bytes: Uint8Array) => boolean;
  /** Who strangers may ask for; absent: they are answered whatever they ask. */
  ours?: (source: Hop) => Ours;
  tell: (ignored: IgnoredMessages) => void;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #sources: Sources;
  readonly #strangers: { invites: Bucket; others: Bucket };
  readonly #trusted: { invites: Bucket; others: Bucket };
  readonly #refusals: Bucket;
  readonly #tellings: Bucket;
  /** Host → until when; newest last. */
  readonly #asked = new Map<string, number>();

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    const nowMs = parts.clock.now();
    this.#sources = new Sources(parts.clock);
    this.#strangers = { invites: new Bucket(strangerInvites, nowMs), others: new Bucket(strangerOthers, nowMs) };
    this.#trusted = { invites: new Bucket(trustedInvites, nowMs), others: new Bucket(trustedOthers, nowMs) };
    this.#refusals = new Bucket(refusals, nowMs);
    this.#tellings = new Bucket(tellRate, nowMs);
  }

  /** A request of ours goes there. */
  asks(host: string) {
    this.#asked.delete(host);
    this.#asked.set(host, this.#parts.clock.now() + answerLimitMs);
    if (this.#asked.size > askedLimit) this.#asked.delete(this.#asked.keys().next().value!);
  }

  /** By its first bytes: `refuse` is to be answered 503, `drop` is counted and no more. */
  admit(bytes: Uint8Array, from: Hop): 'admit' | 'refuse' | 'drop' {
    const { clock, counters, trusts, isOfCall } = this.#parts;
    const kind = kindOf(bytes);
    if (kind === 'keep-alive') return 'admit';
    if (kind === 'garbage') {
      counters.malformedMessages++;
      return 'drop';
    }
    const nowMs = clock.now();
    const which = kind === 'INVITE' ? 'invites' : 'others';
    const isKnown = trusts(from.host) || (kind === 'response' && this.#isAsked(from.host, nowMs));
    if (!isKnown && this.#sources.at(from.host)[which].take(nowMs) && this.#strangers[which].take(nowMs))
      return 'admit';
    const goesFirst = isKnown || isOfCall(bytes);
    if (goesFirst && this.#trusted[which].take(nowMs)) return 'admit';
    const isAnswerable = kind === 'INVITE' || kind === 'request';
    if (isAnswerable && this.#refusals.take(nowMs, goesFirst ? 0 : refusals.burst / 2)) return 'refuse';
    counters.overloadDrops++;
    this.#ignored(from.host, 'too many messages');
    return 'drop';
  }

  /** Whether a request that begins something gets no answer at all: nobody we know, and nothing that we are asked for. */
  ignores(request: Request, from: Hop): boolean {
    const { counters, ours, trusts } = this.#parts;
    if (ours === undefined || trusts(from.host)) return false;
    const why = whyIgnored(request, ours(from));
    if (why === undefined) return false;
    counters.scannerRequests++;
    this.#ignored(from.host, why);
    return true;
  }

  #isAsked(host: string, nowMs: number) {
    return (this.#asked.get(host) ?? Number.NEGATIVE_INFINITY) > nowMs;
  }

  #ignored(host: string, why: string) {
    const source = this.#sources.at(host);
    const nowMs = this.#parts.clock.now();
    source.ignored++;
    if (nowMs < source.toldAtMs + tellAgainMs || !this.#tellings.take(nowMs)) return;
    const messages = source.ignored;
    source.toldAtMs = nowMs;
    source.ignored = 0;
    this.#parts.tell({ source: host, why, messages });
  }
}
