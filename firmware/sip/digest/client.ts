/** Answers a 401 or 407: one challenge of several, one Authorization value (RFC 3261 §22, RFC 7616, RFC 8760). */

import { isMalformed } from '../message/message.ts';
import type { Login } from '../settings.ts';
import { type AuthParameters, parseDigest, printDigest } from './parameters.ts';
import { ALGORITHMS, type Algorithm, ha1Of, parseAlgorithm, printNonceCount, responseOf } from './response.ts';

export interface ChallengeInput {
  /** The values of WWW-Authenticate or of Proxy-Authenticate, in order. */
  challenges: readonly string[];
  method: string;
  /** The Request-URI, as it is sent. */
  uri: string;
  username: string;
  /** Absent: only `logins` are answered. */
  password: string | undefined;
  /** In place of these, for the realms that they name. */
  logins?: readonly Login[];
  /** Fresh for each answer. */
  cnonce: string;
  /** 1 for a new nonce, and one more each time it is used again (RFC 7616 §3.4). */
  nonceCount: number;
  /** Needed where the server offers auth-int only. */
  body?: Uint8Array;
}

export interface ChallengeAnswer {
  /** The value of Authorization or Proxy-Authorization. */
  header: string;
  algorithm: Algorithm;
  nonce: string;
  /** The nonce before was too old, the password was right: not a refusal (RFC 7616 §3.3). */
  stale: boolean;
  realm: string;
}

interface Usable {
  algorithm: Algorithm;
  session: boolean;
  qop: 'auth' | 'auth-int' | undefined;
  realm: string;
  nonce: string;
  parameters: AuthParameters;
}

/** undefined: no challenge we can answer. Of equally strong ones the first counts (RFC 8760 §2.4). */
export function answerChallenge(input: ChallengeInput): ChallengeAnswer | undefined {
  let best: Usable | undefined;
  for (const challenge of input.challenges) {
    const usable = readChallenge(challenge);
    if (usable === undefined || loginFor(usable.realm, input).password === undefined) continue;
    if (best === undefined || strength(usable) > strength(best)) best = usable;
  }
  if (best === undefined) return undefined;
  const { algorithm, session, qop, realm, nonce, parameters } = best;
  const { username, password = '' } = loginFor(realm, input);
  const { method, uri, cnonce, nonceCount, body = new Uint8Array(0) } = input;
  const nc = printNonceCount(nonceCount);
  const ha1 = ha1Of(algorithm, username, realm, password);
  const response = responseOf({ algorithm, session, ha1, method, uri, nonce, qop, nc, cnonce, body });
  const credentials: AuthParameters = Object.assign(Object.create(null), {
    username,
    realm,
    nonce,
    uri,
    response,
    // Echoed as the server wrote it; servers older than the parameter do not get it.
    algorithm: parameters.algorithm,
    cnonce: qop !== undefined || session ? cnonce : undefined,
    opaque: parameters.opaque,
    qop,
    nc: qop === undefined ? undefined : nc,
  });
  const stale = parameters.stale?.toLowerCase() === 'true';
  return { header: printDigest(credentials, 'credentials'), algorithm, nonce, stale, realm };
}

const loginFor = (realm: string, { username, password, logins }: ChallengeInput) =>
  logins?.find(login => login.realm === realm) ?? { username, password };

const strength = ({ algorithm }: Usable) => ALGORITHMS.indexOf(algorithm);

function readChallenge(challenge: string): Usable | undefined {
  const parameters = parseDigest(challenge);
  if (parameters === undefined || isMalformed(parameters)) return undefined;
  const { realm, nonce } = parameters;
  const known = parseAlgorithm(parameters.algorithm);
  if (realm === undefined || nonce === undefined || known === undefined) return undefined;
  const offered = parameters.qop?.toLowerCase().split(/[\s,]+/);
  const qop = offered && (['auth', 'auth-int'] as const).find(known => offered.includes(known));
  // qop with nothing we know in it is not the absence of qop: RFC 2069 was not offered.
  if (offered !== undefined && qop === undefined) return undefined;
  return { ...known, qop, realm, nonce, parameters };
}
