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

/** What we say of a CANCEL that another telephone has caused by its answer, in whatever words it came. */
export const elsewhere = 'answered elsewhere';

/** `Q.850;cause=16;text="Normal"` → `Normal`; without text `Q.850 16`. The first of several, but for `elsewhere`. */
export function reasonOf({ method, headers }: Request): string | undefined {
  const reasons = headers.all('Reason').map(read);
  // RFC 3326 §3.1
  const isElsewhere = reasons.some(reason => reason?.protocol.toUpperCase() === 'SIP' && reason.cause === '200');
  if (method === 'CANCEL' && isElsewhere) return elsewhere;
  const [first] = reasons;
  if (first === undefined) return undefined;
  const { protocol, cause, text } = first;
  return text ?? (cause === undefined ? protocol : `${protocol} ${cause}`);
}

function read(value: string) {
  const [protocol = ''] = value.split(';', 1);
  const parameters = parseParameters(value, protocol.length);
  if (isMalformed(parameters)) return undefined;
  const word = (name: string) => (typeof parameters[name] === 'string' ? parameters[name] : undefined);
  return { protocol: protocol.trim(), cause: word('cause'), text: word('text') };
}
