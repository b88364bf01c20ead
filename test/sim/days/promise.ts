/** How long the device may be unreachable once its registrar can be reached again and answers: what is promised. */

import { askAgainMs } from '../../../firmware/sip/locate/cache.ts';
import { addressPatience, hopLimit, servicePatience } from '../../../firmware/sip/locate/locator.ts';
import { latestRefresh } from '../../../firmware/sip/registration-pace.ts';
import { retryLimitMs } from '../../../firmware/sip/registration-patience.ts';
import { giveUpMs } from '../../../firmware/sip/transaction/timers.ts';

export interface Promised {
  /** `sip.accounts.X.expires`. */
  expiresMs: number;
  /** How long DNS said that its answers hold. */
  ttlMs: number;
  /** The longest Retry-After that the registrar gave. */
  retryAfterMs: number;
  /** Servers that DNS names. */
  servers: number;
}

/**
 * A registrar that has forgotten us without a word is told at the next refresh. One that could not be reached is tried
 * again after a pause; at worst the attempt before has just begun, at places where nobody is.
 */
export function recoveryLimitMs({ expiresMs, ttlMs, retryAfterMs, servers }: Promised): number {
  const dnsMs = addressPatience.limitMs + 2 * servicePatience.limitMs;
  const attemptMs = (places: number) => dnsMs + places * giveUpMs;
  const forgottenMs = latestRefresh * expiresMs;
  const awayMs = attemptMs(hopLimit) + Math.max(retryLimitMs, retryAfterMs);
  return Math.max(forgottenMs, awayMs, ttlMs, askAgainMs) + attemptMs(servers);
}
