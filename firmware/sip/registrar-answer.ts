/** What a registrar says in its answer to REGISTER (RFC 3261 §10.2.4, RFC 3581, RFC 3608, RFC 5626). */
import { isIP } from 'node:net';
import type { Address } from '../lib/address.ts';
import { type Hop, isReliable } from './hop.ts';
import { parseNumber } from './message/grammar.ts';
import { isMalformed, type Response } from './message/message.ts';
import { parseNameAddress } from './message/name-addr.ts';
import { parseUri, sameUri } from './message/uri.ts';
import { parseVia } from './message/via.ts';

/** Routes that a registrar may ask for. */
const serviceRouteLimit = 8;

/** RFC 3608 §6.1. A strict router there would need what nobody has built since 2002: only loose ones count. */
export function serviceRouteOf({ headers }: Response): readonly string[] {
  return headers
    .all('Service-Route')
    .filter(value => {
      const route = parseNameAddress(value);
      const uri = isMalformed(route) ? route : parseUri(route.uri);
      return !isMalformed(uri) && uri.parameters.lr !== undefined;
    })
    .slice(0, serviceRouteLimit);
}

/**
 * How long the registrar keeps our binding: `expires` of our Contact, else Expires (§10.2.4). Milliseconds. `regId`
 * tells our flows apart, which have one Contact (RFC 5626 §6).
 */
export function grantedFor(response: Response, ours: string, regId?: number): number | undefined {
  const uri = parseUri(ours);
  for (const contact of response.headers.all('Contact')) {
    const parsed = parseNameAddress(contact);
    if (isMalformed(parsed) || isMalformed(uri)) continue;
    const theirs = parseUri(parsed.uri);
    if (isMalformed(theirs) || !sameUri(theirs, uri)) continue;
    const flow = parsed.parameters['reg-id'];
    if (regId !== undefined && flow !== undefined && flow !== String(regId)) continue;
    const seconds = secondsOf(parsed.parameters.expires);
    if (seconds !== undefined) return 1000 * seconds;
  }
  const seconds = secondsOf(response.headers.get('Expires'));
  return seconds === undefined ? undefined : 1000 * seconds;
}

/** RFC 5626 §4.4: how often the server wants to hear from us. Milliseconds. */
export function flowTimerOf({ headers }: Response): number | undefined {
  const seconds = secondsOf(headers.get('Flow-Timer'));
  return seconds === undefined ? undefined : 1000 * seconds;
}

/** RFC 5626 §6: the registrar has understood what a flow is, and every proxy on the way. */
export const grantsOutbound = ({ headers }: Response) =>
  headers.all('Require').some(option => option.toLowerCase() === 'outbound');

/** RFC 3581: where the registrar sees us, which it tells in our Via; undefined where that cannot be read. */
export function seenAt({ headers }: Response, local: Hop): Address | undefined {
  const via = parseVia(headers.get('Via') ?? '');
  if (isMalformed(via)) return undefined;
  const { received, rport } = via.parameters;
  const seen: Address = {
    host: typeof received === 'string' && isIP(received) !== 0 ? received : local.host,
    port: (typeof rport === 'string' && parseNumber(rport, 65_535)) || local.port,
  };
  // Our end of a connection has a port of its own: without a NAT peers reach the one that we listen on.
  if (isReliable(local) && seen.host === local.host) seen.port = local.port;
  return seen;
}

/** A delta-seconds above zero: a registrar that grants nothing has not understood, and must not be asked at once. */
function secondsOf(value: string | true | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) && Number(value) > 0 ? Number(value) : undefined;
}
