/** Who a person would say is at the other end. */
import type { Party } from '../contracts.ts';
import { noParameters } from '../message/grammar.ts';
import { isMalformed, type Request } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { parseUri, printUri } from '../message/uri.ts';

/** RFC 3325 §9.1: a SIP URI, a tel one, or both; then the SIP one counts. */
export function assertedIdentity({ headers }: Request): Party | undefined {
  if (!headers.has('P-Asserted-Identity')) return undefined;
  const parties = headers.all('P-Asserted-Identity').map(value => ({ value, parsed: parseNameAddress(value) }));
  const named = (scheme: RegExp) => parties.find(({ parsed }) => !isMalformed(parsed) && scheme.test(parsed.uri));
  const best = named(/^sips?:/i) ?? named(/^tel:/i);
  return best && partyOf(best.value);
}

/** From a From or To value. */
export function partyOf(value: string): Party {
  const parsed = parseNameAddress(value);
  if (isMalformed(parsed)) return { uri: value };
  const uri = parseUri(parsed.uri);
  const plain = isMalformed(uri) ? parsed.uri : printUri({ ...uri, parameters: noParameters(), headers: undefined });
  return { uri: plain, ...(parsed.displayName !== undefined && { displayName: parsed.displayName }) };
}
