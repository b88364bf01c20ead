/** What a SIP message is once read: requests, responses, and what could not be read as either (RFC 3261 §7). */
import type { Headers } from './headers.ts';

export interface Request {
  readonly kind: 'request';
  /** Case-sensitive; any token, known to us or not (RFC 3261 §7.1). */
  method: string;
  /** The Request-URI as written; `parseUri` reads it. */
  uri: string;
  headers: Headers;
  body: Uint8Array;
}

export interface Response {
  readonly kind: 'response';
  /** 100 … 699 */
  status: number;
  /** May be empty (RFC 4475 §3.1.1.13). */
  reason: string;
  headers: Headers;
  body: Uint8Array;
}

export type Message = Request | Response;

/** Text or bytes of a peer that are not what they should be. Their mistake: a value, never thrown. */
export interface Malformed {
  readonly kind: 'malformed';
  /** What a UAS answers to a request with this fault (400, 414, 416, 505); 0: nothing can be answered, drop it. */
  readonly status: number;
  /** One short English phrase in ASCII without any of the peer's text, so that it fits a reason phrase. */
  readonly why: string;
  /**
   * Only from `parseMessage`, and only where an answer is possible: Via, From, To, Call-ID and CSeq are there and the
   * method is not ACK. Any of them may be the faulty one, so what reads them must still expect Malformed.
   */
  readonly request?: Request;
}

export const malformed = (status: number, why: string): Malformed => ({ kind: 'malformed', status, why });

export const isMalformed = (value: object): value is Malformed => 'kind' in value && value.kind === 'malformed';
