/** Why a peer ended something, in its own words: the Reason header field of BYE and CANCEL (RFC 3326). */
import { parseParameters } from '../message/grammar.ts';
import { isMalformed, type Request } from '../message/message.ts';

/** `Q.850;cause=16;text="Normal"` → `Normal`; without text `Q.850 16`. */
export function reasonOf({ headers }: Request): string | undefined {
  const value = headers.get('Reason');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return value;
  const parameters = parseParameters(value, semicolon);
  if (isMalformed(parameters)) return undefined;
  const { text, cause } = parameters;
  if (typeof text === 'string') return text;
  const protocol = value.slice(0, semicolon).trim();
  return typeof cause === 'string' ? `${protocol} ${cause}` : protocol;
}
