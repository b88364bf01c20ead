/** `"Front door" <sip:front@example.org>;tag=1928`: From, To, Contact, Route and their kin (RFC 3261 §20.10, §25.1). */
import {
  endOfQuoted,
  isAll,
  type Parameters,
  parseParameters,
  printParameters,
  quote,
  skipBlanks,
  trimBlanks,
  unquote,
  VISIBLE,
} from './grammar.ts';
import { MAX_URI_LENGTH } from './limits.ts';
import { isMalformed, type Malformed, malformed } from './message.ts';
import { remembering } from './remember.ts';

export interface NameAddress {
  /** Without quotes and escapes. */
  readonly displayName?: string;
  /** As written, of any scheme; `parseUri` reads SIP ones. */
  readonly uri: string;
  /** Those of the header field, not of the URI: tag, expires, q. Names in lower case. */
  readonly parameters: Readonly<Parameters>;
}

/** A scheme, a colon, and no blank, quote or bracket: what is checked of a URI before somebody needs it. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/;

function isUri(text: string): boolean {
  const isSip = text.startsWith('sip:') && isAll(VISIBLE, text, 'sip:'.length);
  return isSip || URI.test(text);
}

/**
 * name-addr = [ display-name ] LAQUOT addr-spec RAQUOT, or addr-spec, then *( SEMI generic-param ).
 * Departures, both harmless because a URI in `<>` stays unambiguous: a display name without quotes may hold any
 * character (RFC 4475 §3.1.2.15 allows either), and blanks inside `<>` are ignored (§3.1.2.14).
 */
export const parseNameAddress = remembering(read);

function read(text: string): NameAddress | Malformed {
  let at = skipBlanks(text, 0);
  let displayName: string | undefined;
  let uri: string;
  if (text.charAt(at) === '"') {
    const end = endOfQuoted(text, at);
    if (end < 0) return malformed(400, 'Unterminated quoted string');
    displayName = unquote(text.slice(at, end));
    at = skipBlanks(text, end);
    if (text.charAt(at) !== '<') return malformed(400, 'Display name without <URI>');
  }
  const open = text.indexOf('<', at);
  if (open >= 0) {
    if (displayName === undefined && open > at) {
      displayName = trimBlanks(text, at, open);
      if (displayName.includes('"')) return malformed(400, 'Quote in an unquoted display name');
    }
    const close = text.indexOf('>', open);
    if (close < 0) return malformed(400, 'Unterminated <URI>');
    uri = trimBlanks(text, open + 1, close);
    at = close + 1;
  } else {
    const semicolon = text.indexOf(';', at);
    const end = semicolon < 0 ? text.length : semicolon;
    uri = trimBlanks(text, at, end);
    at = end;
    // §20.10: a URI with a comma, question mark or semicolon must be enclosed; of the last we cannot know.
    if (/[,?]/.test(uri)) return malformed(400, 'URI with a comma or question mark is not enclosed in <>');
  }
  if (uri.length > MAX_URI_LENGTH) return malformed(400, 'URI too long');
  if (!isUri(uri)) return malformed(400, 'Bad URI');
  const parameters = parseParameters(text, at);
  if (isMalformed(parameters)) return parameters;
  return displayName === undefined || displayName === '' ? { uri, parameters } : { displayName, uri, parameters };
}

/** Always with `<>`, so that parameters of the URI and of the header field cannot be confused. */
export const printNameAddress = ({ displayName, uri, parameters }: NameAddress) =>
  `${displayName === undefined ? '' : `${quote(displayName)} `}<${uri}>${printParameters(parameters)}`;
