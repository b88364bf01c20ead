/** The Subscription-State header field of a NOTIFY, and what follows from it (RFC 6665 §4.1.3, §8.2.3). */
import { parseNumber, parseParameters } from '../message/grammar.ts';
import { isMalformed, type Request } from '../message/message.ts';

export type NotifiedState =
  | { is: 'active' | 'pending'; leftMs: number | undefined }
  | { is: 'terminated'; reason: string; again: 'soon' | 'later' | 'seldom'; retryAfterMs: number };

/**
 * When to subscribe again after an end. `rejected`, `noresource` and `invariant` depart from §4.1.3, which would never
 * ask again: nobody stands at a door to press "try again" once the PBX has been set right.
 */
const afterwards: Readonly<Record<string, 'soon' | 'later' | 'seldom'>> = {
  deactivated: 'soon',
  timeout: 'soon',
  probation: 'later',
  giveup: 'later',
  rejected: 'seldom',
  noresource: 'seldom',
  invariant: 'seldom',
};

/** Without the field, or with one that we do not know, it goes on: servers older than RFC 6665 are met. */
export function notifiedState({ headers }: Request): NotifiedState {
  const value = headers.get('Subscription-State') ?? '';
  const [word = ''] = value.split(';', 1);
  const parsed = parseParameters(value, word.length);
  const parameters = isMalformed(parsed) ? {} : parsed;
  const ms = (name: string) => {
    const text = parameters[name];
    const seconds = typeof text === 'string' ? parseNumber(text, 2 ** 31) : undefined;
    return seconds === undefined ? undefined : 1000 * seconds;
  };
  const is = word.trim().toLowerCase();
  if (is !== 'terminated') return { is: is === 'pending' ? 'pending' : 'active', leftMs: ms('expires') };
  const reason = typeof parameters.reason === 'string' ? parameters.reason.toLowerCase() : '';
  const again = Object.hasOwn(afterwards, reason) ? afterwards[reason]! : 'later';
  return { is, reason, again, retryAfterMs: ms('retry-after') ?? 0 };
}
