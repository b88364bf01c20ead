/** The Event header field: which package a SUBSCRIBE, NOTIFY or PUBLISH is about (RFC 6665 §8.2.1). */
import { noParameters, type Parameters, parseParameters } from '../message/grammar.ts';
import { isMalformed, type Request } from '../message/message.ts';
import { dialogPackage } from './dialog-info.ts';
import type { Package } from './package.ts';
import { presencePackage } from './presence.ts';

/** Outside any dialog: as far as we listen. `resync` is Sipura's and its heirs' word for `check-sync`. */
export const checkSyncEvents: readonly string[] = ['check-sync', 'resync'];

/** Inside a call: take this call, and put it on hold (BroadSoft's Remote Control). */
export const remoteControlEvents: readonly string[] = ['talk', 'hold'];

/** What can be subscribed to. */
export const packages: readonly Package[] = [dialogPackage, presencePackage];

/**
 * The value of Allow-Events. By RFC 6665 §4.4.4 only what can be subscribed to stands there; but PBXs look here too
 * before they send a `talk` or `check-sync` that nobody subscribes to.
 */
export const allowEvents = [...packages.map(({ name }) => name), ...remoteControlEvents, ...checkSyncEvents].join(', ');

export interface EventHeader {
  /** Lower-case; empty where there is none. */
  name: string;
  parameters: Parameters;
}

/** Nonsense behind the name counts as no parameters: the name alone decides who serves it. */
export function eventOf({ headers }: Request): EventHeader {
  const value = headers.get('Event') ?? '';
  const [name = ''] = value.split(';', 1);
  const parameters = parseParameters(value, name.length);
  return { name: name.trim().toLowerCase(), parameters: isMalformed(parameters) ? noParameters() : parameters };
}
