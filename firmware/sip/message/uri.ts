/** SIP and SIPS URIs: reading, printing, comparing (RFC 3261 §19.1). Any other scheme, tel included, is 416. */
import { isIPv6 } from 'node:net';
import { HOST, isAll, lowerCase, noParameters, type Parameters, parseNumber, USER } from './grammar.ts';
import { MAX_PARAMETERS, MAX_URI_LENGTH } from './limits.ts';
import { isMalformed, type Malformed, malformed } from './message.ts';
import { remembering } from './remember.ts';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Unescaped. Case-sensitive. */
  readonly user?: string;
  /** Unescaped. */
  readonly password?: string;
  /** Host name or IP literal as written; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Unescaped, names in lower case. */
  readonly parameters: Readonly<Parameters>;
  /** What stands after `?`, as written: a Request-URI, From and To must not have it (§19.1.1 table 1). */
  readonly headers: string | undefined;
}

// With what is escaped.
const ESCAPED_USER = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+$/;
// password = *( unreserved / escaped / "&" / "=" / "+" / "$" / "," )
const PASSWORD = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*$/;
/** Neither a hyphen nor a dot begins it, and no hyphen ends it. */
function isHostName(text: string): boolean {
  if (!isAll(HOST, text)) return false;
  const first = text.charCodeAt(0);
  return first !== HYPHEN && first !== DOT && text.charCodeAt(text.length - 1) !== HYPHEN;
}

const HYPHEN = 0x2d;
const DOT = 0x2e;

// paramchar = param-unreserved / unreserved / escaped, param-unreserved = [ ] / : & + $
const PARAMETER = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+$/;
// header = hname "=" hvalue, hnv-unreserved = [ ] / ? : + $
const HEADERS = /^(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$&=]|%[0-9A-Fa-f]{2})+$/;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Malformed: 416 for another scheme, 414 for one that is too long, 400 for everything else. */
export const parseUri: (text: string) => SipUri | Malformed = remembering(read);

function read(text: string): SipUri | Malformed {
  if (text.length > MAX_URI_LENGTH) return malformed(414, 'URI too long');
  const colon = text.indexOf(':');
  const scheme = lowerCase(text.slice(0, Math.max(colon, 0)));
  if (scheme !== 'sip' && scheme !== 'sips') {
    // scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
    return /^[a-z][a-z0-9+.-]*$/.test(scheme) ? malformed(416, 'Unsupported URI scheme') : malformed(400, 'Bad URI');
  }
  const parameters = noParameters();
  const uri: Mutable<SipUri> = { scheme, host: '', parameters, headers: undefined };
  let at = colon + 1;

  // An unescaped "@" can only end the userinfo, which itself may hold ";" and "?" (RFC 4475 §3.1.1.9).
  const end = text.indexOf('@', at);
  if (end >= 0) {
    const userinfo = text.slice(at, end);
    const divide = userinfo.indexOf(':');
    const user = divide < 0 ? userinfo : userinfo.slice(0, divide);
    if (!isAll(USER, user) && !ESCAPED_USER.test(user)) return malformed(400, 'Bad user in URI');
    uri.user = percentDecode(user);
    if (divide >= 0) {
      const password = userinfo.slice(divide + 1);
      if (!PASSWORD.test(password)) return malformed(400, 'Bad password in URI');
      uri.password = percentDecode(password);
    }
    at = end + 1;
  }

  const question = text.indexOf('?', at);
  if (question >= 0) {
    uri.headers = text.slice(question + 1);
    if (!HEADERS.test(uri.headers)) return malformed(400, 'Bad headers in URI');
  }
  const rest = question < 0 ? text.slice(at) : text.slice(at, question);
  const semicolon = rest.indexOf(';');
  const hostPort = parseHostPort(semicolon < 0 ? rest : rest.slice(0, semicolon));
  if (isMalformed(hostPort)) return hostPort;
  uri.host = hostPort.host;
  if (hostPort.port !== undefined) uri.port = hostPort.port;
  if (semicolon < 0) return uri;

  const parts = rest.slice(semicolon + 1).split(';', MAX_PARAMETERS + 1);
  if (parts.length > MAX_PARAMETERS) return malformed(400, 'Too many parameters');
  for (const part of parts) {
    const equal = part.indexOf('=');
    const name = equal < 0 ? part : part.slice(0, equal);
    const value = equal < 0 ? undefined : part.slice(equal + 1);
    if (!PARAMETER.test(name) || (value !== undefined && !PARAMETER.test(value))) {
      return malformed(400, 'Bad parameter in URI');
    }
    const key = percentDecode(name).toLowerCase();
    if (key in parameters) return malformed(400, 'Repeated parameter in URI');
    parameters[key] = value === undefined ? true : percentDecode(value);
  }
  return uri;
}

/** hostport = host [ ":" port ]. A host name is not resolved nor an IPv4 literal told from one. */
export function parseHostPort(text: string): { host: string; port?: number } | Malformed {
  let host: string;
  let colon: number;
  if (text.charAt(0) === '[') {
    const close = text.indexOf(']');
    // RFC 3261's ABNF wrongly made `2001:db8:::192.0.2.1` of two colons; we read it, and print two (RFC 5118 §4.10).
    host = text.slice(1, Math.max(close, 1)).replace(':::', '::');
    // A zone (`%eth0`) means something on the sender's machine only, and the grammar has none.
    if (!isIPv6(host) || host.includes('%')) return malformed(400, 'Bad IPv6 address');
    if (close + 1 === text.length) return { host };
    colon = close + 1;
    if (text.charAt(colon) !== ':') return malformed(400, 'Bad host');
  } else {
    colon = text.indexOf(':');
    host = colon < 0 ? text : text.slice(0, colon);
    if (!isHostName(host)) return malformed(400, 'Bad host');
    if (colon < 0) return { host };
  }
  const port = parseNumber(text.slice(colon + 1), 65_535);
  return port === undefined || port === 0 ? malformed(400, 'Bad port') : { host, port };
}

export const printHostPort = (host: string, port?: number) =>
  (host.includes(':') ? `[${host}]` : host) + (port === undefined ? '' : `:${port}`);

export function printUri({ scheme, user, password, host, port, parameters, headers }: SipUri): string {
  let text = `${scheme}:`;
  if (user !== undefined) {
    text += isAll(USER, user) && !user.includes('#') ? user : percentEncode(user, /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]+/g);
    if (password !== undefined) text += `:${percentEncode(password, /[^A-Za-z0-9\-_.!~*'()&=+$,]+/g)}`;
    text += '@';
  }
  text += printHostPort(host, port);
  for (const name in parameters) {
    const value = parameters[name]!;
    text += `;${percentEncode(name, NOT_PARAMETER)}`;
    if (value !== true) text += `=${percentEncode(value, NOT_PARAMETER)}`;
  }
  return headers === undefined ? text : `${text}?${headers}`;
}

const NOT_PARAMETER = /[^A-Za-z0-9\-_.!~*'()[\]/:&+$]+/g;

const percentEncode = (text: string, forbidden: RegExp) =>
  text.replace(forbidden, run =>
    Array.from(Buffer.from(run, 'utf8'), byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );

/** %HH as UTF-8; octets that are no UTF-8 become the characters U+0080 … U+00FF. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** Parameters that count even where only one of the two URIs has them (§19.1.4). */
const DECISIVE = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** RFC 3261 §19.1.4. An absent port is not 5060, for the two may resolve differently. */
export function sameUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme || a.user !== b.user || a.password !== b.password || a.port !== b.port) return false;
  if (a.host.toLowerCase() !== b.host.toLowerCase()) return false;
  const lower = (value: string | true | undefined) => (typeof value === 'string' ? value.toLowerCase() : value);
  for (const name of DECISIVE) if (lower(a.parameters[name]) !== lower(b.parameters[name])) return false;
  for (const name in a.parameters) {
    if (name in b.parameters && lower(a.parameters[name]) !== lower(b.parameters[name])) return false;
  }
  return headerSet(a.headers) === headerSet(b.headers);
}

const headerSet = (headers: string | undefined) =>
  headers
    ?.split('&')
    .map(header => {
      const [name, value] = header.split('=', 2);
      return `${percentDecode(name!).toLowerCase()}=${percentDecode(value ?? '')}`;
    })
    .sort()
    .join('&');
