/** Requests outside a dialog: RFC 3261 §8.1.1. */
import type { Random } from '../../lib/random.ts';
import type { Account } from '../account.ts';
import type { Body, HeaderFields } from '../contracts.ts';
import { Headers } from '../message/headers.ts';
import type { Request } from '../message/message.ts';
import { isMalformed } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';

/** §8.1.1.6 */
export const maxForwards = '70';

export interface NewRequest {
  method: string;
  uri: string;
  /** From value, with tag. */
  from: string;
  /** To value. */
  to: string;
  callId: string;
  sequence: number;
  account: Account | undefined;
  headers?: HeaderFields;
  body?: Body;
}

export function makeRequest({ method, uri, from, to, callId, sequence, account, headers: extra, body }: NewRequest) {
  const headers = new Headers();
  const routes = method === 'REGISTER' ? account?.proxyRoute : account?.routes;
  for (const route of routes ?? []) headers.add('Route', route);
  headers.add('Max-Forwards', maxForwards);
  headers.add('From', from);
  headers.add('To', to);
  headers.add('Call-ID', callId);
  headers.add('CSeq', `${sequence} ${method}`);
  for (const [name, value] of extra ?? []) headers.add(name, value);
  const request: Request = { kind: 'request', method, uri, headers, body: new Uint8Array() };
  if (body !== undefined) setBody(request, body);
  return request;
}

/** The first hop of a request outside a dialog: its preloaded route, else its Request-URI (§8.1.2). */
export function firstHop(request: Request): string {
  const route = parseNameAddress(request.headers.get('Route') ?? '');
  return isMalformed(route) ? request.uri : route.uri;
}

export function setBody(message: Request, body: Body) {
  message.headers.set('Content-Type', body.contentType);
  message.body = body.bytes;
}

/** The body of a message, or undefined where it has none. */
export function bodyOf(message: { headers: Headers; body: Uint8Array }): Body | undefined {
  if (message.body.length === 0) return undefined;
  return { contentType: message.headers.get('Content-Type') ?? '', bytes: message.body };
}

/** §8.1.1.4 */
export const newCallId = (random: Random) => random.token(16);
