/** Telephone numbers: `tel` URIs, and the same numbers in SIP URIs (RFC 3966, RFC 3261 §19.1.6). */
import { MAX_PARAMETERS, MAX_URI_LENGTH } from './limits.ts';
import { isMalformed, type Malformed, malformed } from './message.ts';
import { parseUri, printUri, type SipUri } from './uri.ts';

export interface TelephoneNumber {
  /** Without visual separators: `+4930123`, `7042`, `*21#`. */
  number: string;
  /** As written, names in lower case: `phone-context`, `ext`, … */
  parameters: readonly (readonly [name: string, value: string | undefined])[];
}

// visual-separator = "-" / "." / "(" / ")"
const SEPARATORS = /[-.()]/g;
// global-number-digits = "+" *phonedigit DIGIT *phonedigit
const GLOBAL = /^\+[0-9]{1,31}$/;
// local-number-digits: HEXDIG, "*", "#"
const LOCAL = /^[0-9A-Fa-f*#]{1,32}$/;
// paramchar and pname of RFC 3966 §3
const PARAMETER = /^[A-Za-z0-9-]+(?:=(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+)?$/;

/** `tel:+49-30-123`, `tel:7042;phone-context=example.org`. Departs from §5.1.5: a local number may come without context. */
export function parseTel(text: string): TelephoneNumber | Malformed {
  if (text.length > MAX_URI_LENGTH) return malformed(414, 'URI too long');
  if (!/^tel:/i.test(text)) return malformed(416, 'Unsupported URI scheme');
  const [digits = '', ...rest] = text.slice('tel:'.length).split(';', MAX_PARAMETERS + 2);
  const number = digits.replace(SEPARATORS, '');
  if (!GLOBAL.test(number) && !LOCAL.test(number)) return malformed(400, 'not a telephone number');
  if (rest.length > MAX_PARAMETERS) return malformed(400, 'Too many parameters');
  if (!rest.every(parameter => PARAMETER.test(parameter))) return malformed(400, 'Bad parameter in URI');
  const parameters = rest.map(parameter => {
    const [name = '', value] = parameter.split('=');
    return [name.toLowerCase(), value] as const;
  });
  if (new Set(parameters.map(([name]) => name)).size < parameters.length) {
    return malformed(400, 'Repeated parameter in URI');
  }
  return { number, parameters };
}

/** A number that somebody would key in: `4711`, `+49 30 123` is not one word and must be written without blanks. */
export const isPlainNumber = (text: string) => /^(?:\+[0-9]{1,31}|[0-9*#]{1,32})$/.test(text);

/** The SIP URI that reaches a number at the server of `at` (RFC 3261 §19.1.6): parameters of the number stay in the user. */
export function sipUriOf({ number, parameters }: TelephoneNumber, at: SipUri): string {
  const ranked = parameters.toSorted(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  const user = [number, ...ranked.map(([name, value]) => (value === undefined ? name : `${name}=${value}`))].join(';');
  return printUri({ ...at, user, password: undefined, parameters: { user: 'phone' }, headers: undefined });
}

/** §19.1.6: isub and ext first, then phone-context, then the others by name. */
const rankOf = (name: string) => (name === 'isub' || name === 'ext' ? 0 : name === 'phone-context' ? 1 : 2);

/** The number in a `tel` URI, or the global one in the user part of a SIP URI; undefined where there is none. */
function numberIn(uri: string): string | undefined {
  const tel = parseTel(uri);
  if (!isMalformed(tel)) return tel.number;
  const sip = parseUri(uri);
  const user = isMalformed(sip) ? undefined : sip.user?.split(';', 1)[0]?.replace(SEPARATORS, '');
  return user !== undefined && GLOBAL.test(user) ? user : undefined;
}

/** `tel:+4930*`: every number that begins so; without `*` that number alone. */
export function numberMatches(pattern: string, uri: string): boolean {
  const number = numberIn(uri);
  const wanted = pattern.slice('tel:'.length).replace(SEPARATORS, '');
  if (number === undefined) return false;
  return wanted.endsWith('*') ? number.startsWith(wanted.slice(0, -1)) : number === wanted;
}
