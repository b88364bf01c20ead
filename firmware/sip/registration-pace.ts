/** When a REGISTER follows the one before: after a success, a refusal, a lost connection, a changed address. */
import type { Random } from '../lib/random.ts';
import { retryAfterOf } from './exchange.ts';
import type { Response } from './message/message.ts';

/** A registration is renewed when between these parts of its time have passed: before it ends, not with all others. */
const earliestRefresh = 0.8;
export const latestRefresh = 0.9;
/** A registrar that grants seconds is not asked more often than this. */
const leastRefreshMs = 5_000;
/** A server that DNS prefers is tried again so much after it ceased to be avoided: not by all devices of a site at once. */
const returnSpreadMs = 5_000;
/** A lost connection is opened again within this (RFC 5626 §4.5). */
export const recoveryMs = 2_000;
/** A link that comes and goes does not make more REGISTERs than one in this time. */
export const renewGapMs = 2_000;
/** Wrong credentials do not become right in seconds, and many registrars ban who insists. */
const credentialsRetryMs = 60_000;
const credentialsRefused = [401, 403, 404, 407];
/** A registrar that asks for more patience than this is not obeyed further. */
const retryAfterLimitMs = 3_600_000;

/** `preferredAgainMs`: until a server that DNS prefers to the one that granted this may be tried again. Milliseconds. */
export function refreshAfter(grantedMs: number, preferredAgainMs: number | undefined, random: Random): number {
  const part = earliestRefresh + (latestRefresh - earliestRefresh) * random.next();
  // RFC 3263 §4.3 goes back with the next request; a call that waited for that would find the better server unproven.
  const backMs = (preferredAgainMs ?? Number.POSITIVE_INFINITY) + returnSpreadMs * random.next();
  return Math.max(leastRefreshMs, Math.min(grantedMs * part, backMs));
}

/** Not together with every other device of the site: a PBX or a switch that restarts loses all at once. Milliseconds. */
export const recoverAfter = (random: Random) => recoveryMs * random.next();

/** A registrar that refuses is left alone for so long at least. Milliseconds. */
export function leastPauseAfter(refusal: Response): number {
  const leastMs = credentialsRefused.includes(refusal.status) ? credentialsRetryMs : 0;
  return Math.max(leastMs, Math.min(retryAfterOf(refusal) ?? 0, retryAfterLimitMs));
}
