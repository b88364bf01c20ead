/** Why somebody ended something: the Reason header field of BYE and CANCEL (RFC 3326). */
import { parseParameters, quote } from '../message/grammar.ts';
import { isMalformed, type Request } from '../message/message.ts';

/** A status of SIP that says what happened, and words for a person. */
export interface Reason {
  cause: number;
  text: string;
}

/** What a fork hears that answered too late: its telephone shows no missed call. */
export const answeredElsewhere: Reason = { cause: 200, text: 'Call completed elsewhere' };

export const printReason = ({ cause, text }: Reason) => `SIP;cause=${cause};text=${quote(text)}`;

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
