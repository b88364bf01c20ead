/** Who a person would say is at the other end. */
import type { Party } from '../contracts.ts';
import { noParameters } from '../message/grammar.ts';
import { isMalformed } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { parseUri, printUri } from '../message/uri.ts';

/** From a From or To value. */
export function partyOf(value: string): Party {
  const parsed = parseNameAddress(value);
  if (isMalformed(parsed)) return { uri: value };
  const uri = parseUri(parsed.uri);
  const plain = isMalformed(uri) ? parsed.uri : printUri({ ...uri, parameters: noParameters(), headers: undefined });
  return { uri: plain, ...(parsed.displayName !== undefined && { displayName: parsed.displayName }) };
}
