/** Asks for and checks credentials: the registrar's side of Digest (RFC 3261 §22.4, RFC 7616, RFC 8760). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { isMalformed } from '../message/message.ts';
import { parseDigest, printDigest } from './parameters.ts';
import { type Algorithm, ha1Of, parseAlgorithm, responseOf } from './response.ts';

export interface Challenge {
  realm: string;
  nonce: string;
  algorithm: Algorithm;
  stale?: boolean;
  opaque?: string;
}

/** The value of one WWW-Authenticate or Proxy-Authenticate. */
export function issueChallenge({ realm, nonce, algorithm, stale, opaque }: Challenge): string {
  return printDigest({ realm, nonce, algorithm, qop: 'auth', opaque, stale: stale ? 'true' : undefined }, 'challenge');
}

/** A password, or H(username:realm:password) for the algorithm asked for (`ha1Of`). undefined: no such user. */
export type Secret = { password: string } | { ha1: string } | undefined;

export interface VerifyInput {
  /** The value of Authorization or Proxy-Authorization. */
  header: string;
  method: string;
  realm: string;
  /** Those that were offered: an answer with another one is wrong, or a man in the middle could choose MD5. */
  algorithms: readonly Algorithm[];
  secretOf(username: string, algorithm: Algorithm): Secret;
  /** Called only once the response is right, so that a guess cannot use a nonce up. `nc` is 1 for RFC 2069 clients. */
  nonceIsGood(nonce: string, nc: number): boolean;
  body?: Uint8Array;
}

export type Verdict =
  | { is: 'ok'; username: string }
  /** Right password, nonce unknown, too old or used before: challenge again with `stale`. */
  | { is: 'stale' }
  | { is: 'wrong' }
  /** Another scheme or another realm: nothing for us. */
  | { is: 'foreign' }
  /** Answer 400. */
  | { is: 'malformed'; why: string };

/**
 * The digest-uri is hashed as the client wrote it and not compared with the Request-URI, which proxies may have
 * changed (RFC 3261 §22.4).
 */
function verifyAuthorization(input: VerifyInput): Verdict {
  const parameters = parseDigest(input.header);
  if (parameters === undefined) return { is: 'foreign' };
  if (isMalformed(parameters)) return { is: 'malformed', why: parameters.why };
  const { username, realm, nonce, uri, response, qop, nc, cnonce } = parameters;
  if (realm !== undefined && realm !== input.realm) return { is: 'foreign' };
  if (
    username === undefined ||
    realm === undefined ||
    nonce === undefined ||
    uri === undefined ||
    response === undefined
  ) {
    return { is: 'malformed', why: 'Incomplete credentials' };
  }
  const known = parseAlgorithm(parameters.algorithm);
  if (known === undefined || !input.algorithms.includes(known.algorithm)) return { is: 'wrong' };
  if (qop !== undefined && qop !== 'auth' && qop !== 'auth-int') return { is: 'malformed', why: 'Unknown qop' };
  if (qop !== undefined && (!/^[0-9a-f]{8}$/i.test(nc ?? '') || cnonce === undefined)) {
    return { is: 'malformed', why: 'Bad nc or cnonce' };
  }
  const { algorithm, session } = known;
  const secret = input.secretOf(username, algorithm);
  // An unknown user costs the same work, so that the time of the answer does not tell who exists.
  const ha1 = secret && 'ha1' in secret ? secret.ha1 : ha1Of(algorithm, username, realm, secret?.password ?? '');
  const expected = responseOf({
    algorithm,
    session,
    ha1,
    method: input.method,
    uri,
    nonce,
    qop,
    nc: nc ?? '',
    cnonce: cnonce ?? '',
    body: input.body ?? new Uint8Array(0),
  });
  const equal = sameText(expected, response.toLowerCase());
  if (!equal || secret === undefined) return { is: 'wrong' };
  const count = qop === undefined ? 1 : Number.parseInt(nc!, 16);
  return input.nonceIsGood(nonce, count) ? { is: 'ok', username } : { is: 'stale' };
}

/** In a time that does not depend on where the two differ. */
function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export interface DigestServerSettings {
  realm: string;
  /** In the order they are offered: the preferred one first (RFC 8760 §2.3). */
  algorithms: readonly Algorithm[];
  /** A nonce is good this long after it was issued. Milliseconds. */
  nonceLifetimeMs: number;
  secretOf: VerifyInput['secretOf'];
}

/** Nonces in use at once. Only right passwords get in; the one in use longest goes first. */
export const MAX_NONCES = 10_000;

/**
 * Issues nonces that carry their own time and proof, so that a flood of challenges fills no table; remembers only how
 * far the nonce count of each nonce in use has come, so that no request can be replayed (RFC 7616 §5.5).
 */
export class DigestServer {
  readonly #settings: DigestServerSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #secret: string;
  /** nonce → highest nonce count seen, in the order the nonces were first used. */
  readonly #counts = new Map<string, number>();
  /** Issue time of the youngest nonce forgotten for want of room: what is as old and not remembered may be a replay. */
  #forgottenUntilMs = Number.NEGATIVE_INFINITY;

  constructor(settings: DigestServerSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#secret = random.token(32);
  }

  /** The values of WWW-Authenticate for a 401 (Proxy-Authenticate for a 407), one an algorithm, to be sent in this order. */
  challenges(stale = false): string[] {
    const { realm, algorithms } = this.#settings;
    const nonce = this.#issueNonce();
    return algorithms.map(algorithm => issueChallenge({ realm, nonce, algorithm, stale }));
  }

  /** `headers`: every value of Authorization (Proxy-Authorization); the one of our realm counts. None: foreign. */
  verify(headers: readonly string[], method: string, body?: Uint8Array): Verdict {
    const { realm, algorithms, secretOf } = this.#settings;
    let verdict: Verdict = { is: 'foreign' };
    for (const header of headers) {
      verdict = verifyAuthorization({
        header,
        method,
        realm,
        algorithms,
        secretOf,
        nonceIsGood: (nonce, nc) => this.#use(nonce, nc),
        body,
      });
      if (verdict.is !== 'foreign') return verdict;
    }
    return verdict;
  }

  /** How many nonces are remembered: never more than MAX_NONCES. */
  get noncesInUse(): number {
    return this.#counts.size;
  }

  /** Time of issue and chance, then the proof that they are ours. */
  #issueNonce(): string {
    const issued = Math.floor(this.#clock.now()).toString(16).padStart(12, '0') + this.#random.token(6);
    return issued + this.#prove(issued);
  }

  #prove(issued: string): string {
    return createHmac('sha256', this.#secret).update(issued).digest('hex').slice(0, 32);
  }

  #use(nonce: string, nc: number): boolean {
    if (!sameText(this.#prove(nonce.slice(0, 24)), nonce.slice(24))) return false;
    if (issuedAtMs(nonce) < this.#clock.now() - this.#settings.nonceLifetimeMs) {
      this.#counts.delete(nonce);
      return false;
    }
    const before = this.#counts.get(nonce);
    if (before === undefined) {
      if (nc < 1 || issuedAtMs(nonce) <= this.#forgottenUntilMs) return false;
      if (this.#counts.size === MAX_NONCES) this.#forgetOldest();
    } else if (nc <= before) return false;
    this.#counts.set(nonce, nc);
    return true;
  }

  #forgetOldest() {
    const oldest = this.#counts.keys().next().value!;
    this.#counts.delete(oldest);
    this.#forgottenUntilMs = Math.max(this.#forgottenUntilMs, issuedAtMs(oldest));
  }
}

const issuedAtMs = (nonce: string) => Number.parseInt(nonce.slice(0, 12), 16);
