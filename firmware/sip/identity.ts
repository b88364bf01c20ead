/** Who a request outside any dialog says it is from (RFC 3261 §8.1.1.3), and to whom that is told (RFC 3323). */
import type { Account } from './account.ts';
import type { HeaderFields } from './contracts.ts';

/** Of a caller that has no account, or does not tell. */
const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';

/** The From value, without tag. */
export function fromOf(account: Account | undefined): string {
  return account === undefined || account.settings.anonymous === true ? anonymous : account.from;
}

/** RFC 3323 §4.2, RFC 3325 §9.2: only our own server learns who we are; in any request by RFC 5876. */
export function privacyOf(account: Account | undefined): HeaderFields {
  if (account?.settings.anonymous !== true) return [];
  return [
    ['Privacy', 'id'],
    ['P-Preferred-Identity', account.from],
  ];
}
