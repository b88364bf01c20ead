/** The arithmetic of Digest: the `response` both sides compute (RFC 7616 §3.4.1 to §3.4.3, RFC 8760). */
import { hash } from 'node:crypto';

/** Weakest first: a client answers the strongest offered. Local policy, as RFC 8760 §2.4 lets it. */
export const ALGORITHMS = ['MD5', 'SHA-256', 'SHA-512-256'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

/** The names node:crypto (OpenSSL) has for them. */
const HASHES: Record<Algorithm, string> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** Case does not matter; absent means MD5 (RFC 7616 §3.3). `-sess` keys HA1 to the nonce. undefined: not known to us. */
export function parseAlgorithm(text = 'MD5'): { algorithm: Algorithm; session: boolean } | undefined {
  const upper = text.toUpperCase();
  const session = upper.endsWith('-SESS');
  const name = session ? upper.slice(0, -'-SESS'.length) : upper;
  const algorithm = ALGORITHMS.find(known => known === name);
  return algorithm && { algorithm, session };
}

const digestOf = (algorithm: Algorithm, data: string | Uint8Array) => hash(HASHES[algorithm], data, 'hex');

/** H(username:realm:password) in lower-case hexadecimal: what a server may keep in place of the password. */
export const ha1Of = (algorithm: Algorithm, username: string, realm: string, password: string) =>
  digestOf(algorithm, `${username}:${realm}:${password}`);

export interface ResponseInput {
  algorithm: Algorithm;
  session: boolean;
  /** From `ha1Of`. */
  ha1: string;
  method: string;
  /** digest-uri, the very text of the `uri` parameter. */
  uri: string;
  nonce: string;
  /** Absent: the way of RFC 2069, without nc and cnonce. */
  qop: 'auth' | 'auth-int' | undefined;
  /** Eight hexadecimal digits. */
  nc: string;
  cnonce: string;
  /** For auth-int. */
  body: Uint8Array;
}

export function responseOf({
  algorithm,
  session,
  ha1,
  method,
  uri,
  nonce,
  qop,
  nc,
  cnonce,
  body,
}: ResponseInput): string {
  const key = session ? digestOf(algorithm, `${ha1}:${nonce}:${cnonce}`) : ha1;
  const a2 = qop === 'auth-int' ? `${method}:${uri}:${digestOf(algorithm, body)}` : `${method}:${uri}`;
  const ha2 = digestOf(algorithm, a2);
  const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return digestOf(algorithm, `${key}:${middle}:${ha2}`);
}

export const printNonceCount = (count: number) => count.toString(16).padStart(8, '0');
