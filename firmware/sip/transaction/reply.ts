/** Responses as RFC 3261 §8.2.6 makes them from a request, and where they go (§18.2, RFC 3581). */
import type { Address } from '../../lib/address.ts';
import type { Body, HeaderFields } from '../contracts.ts';
import { defaultPortOf, type Hop, isReliable } from '../hop.ts';
import { noParameters } from '../message/grammar.ts';
import { Headers } from '../message/headers.ts';
import { isMalformed, type Request, type Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import { parseVia, printVia } from '../message/via.ts';
import { tagOf } from './matching.ts';

export interface Reply {
  /** Default: the RFC's phrase. */
  reason?: string;
  headers?: HeaderFields;
  body?: Body;
}

/** `toTag` goes into To where the request brought none. */
export function makeResponse(request: Request, status: number, toTag: string, reply: Reply = {}): Response {
  const headers = new Headers();
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) headers.copyFrom(request.headers, name);
  // §8.2.6.1: a 100 needs no tag, and gives the time stamp back.
  if (status === 100) headers.copyFrom(request.headers, 'Timestamp');
  else if (tagOf(headers.get('To')) === undefined) headers.set('To', `${headers.get('To')};tag=${toTag}`);
  // §12.1.1: the route of the dialog that this response may make.
  if (request.method === 'INVITE' && status > 100 && status < 300) headers.copyFrom(request.headers, 'Record-Route');
  for (const [name, value] of reply.headers ?? []) headers.add(name, value);
  if (reply.body !== undefined) headers.set('Content-Type', reply.body.contentType);
  return {
    kind: 'response',
    status,
    reason: reply.reason ?? reasonPhrase(status),
    headers,
    body: reply.body?.bytes ?? new Uint8Array(),
  };
}

/** Writes into the top Via where the request really came from: §18.2.1, RFC 3581 §4. */
export function markReceived(request: Request, source: Address) {
  const via = parseVia(request.headers.get('Via') ?? '');
  if (isMalformed(via)) return;
  const asksForPort = via.parameters.rport !== undefined;
  if (!asksForPort && via.host === source.host) return;
  const parameters = noParameters();
  for (const name in via.parameters) parameters[name] = via.parameters[name]!;
  parameters.received = source.host;
  if (asksForPort) parameters.rport = String(source.port);
  const marked = { ...via, parameters };
  const text = printVia(marked);
  parseVia.keep(text, marked);
  request.headers.replaceFirst('Via', text);
}

/**
 * Where a response goes: over a connection back on the one that the request came in on (and where that is closed, on a
 * new one to the port that Via names: RFC 3261 §18.2.2); over UDP back to the source, to the port that sent where `rport` asks for it, else to the port that
 * Via names. `maddr` (§18.2.2) is not obeyed: it would let a stranger aim our responses at somebody else.
 */
export function replyTo(request: Request, source: Hop): Hop {
  const via = parseVia(request.headers.get('Via') ?? '');
  if (isMalformed(via)) return source;
  if (isReliable(source)) return { ...source, port: via.port ?? defaultPortOf(source.transport) };
  if (via.parameters.rport !== undefined) return source;
  return { ...source, port: via.port ?? defaultPortOf('udp') };
}
