/** The small pieces of RFC 3261 §25.1 that many header fields share: tokens, quoted strings, parameters, lists. */
import { MAX_PARAMETERS } from './limits.ts';
import { type Malformed, malformed } from './message.ts';

/** Names are lower-case. `true`: a parameter without a value (`;lr`). No prototype: no name is special. */
export type Parameters = Record<string, string | true>;

// A constructor with an empty prototype: as bare as Object.create(null), and V8 builds it several times as fast.
const Bare = function Parameters() {} as unknown as new () => Parameters;
Bare.prototype = Object.create(null);

export const noParameters = (): Parameters => new Bare();

/** Sets of ASCII characters, for `isAll`: one bit each. */
export const TOKEN = 1;
export const DIGITS = 2;
export const HOST = 4;
export const VALUE = 8;
export const USER = 16;
export const VISIBLE = 32;

/** Character → the sets that it is in. A table and not expressions: what reads a message once in an hour is short and soon warm. */
const SETS = new Uint8Array(128);

function learn(set: number, characters: string) {
  for (const character of characters) SETS[character.charCodeAt(0)]! |= set;
}

const ALPHANUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

// token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )
learn(TOKEN, `${ALPHANUM}-.!%*_+\`'~`);
learn(DIGITS, '0123456789');
// hostname is letters, digits, "-" and "."; Departure: "_" too, which private names often have.
learn(HOST, `${ALPHANUM}-._`);
// user = 1*( unreserved / escaped / user-unreserved ), user-unreserved = & = + $ , ; ? /
// Departure: `#` too, which dial plans full of feature codes write unescaped.
learn(USER, `${ALPHANUM}-_.!~*'()&=+$,;?/#`);
for (let code = 0x21; code < 0x7f; code++) {
  const character = String.fromCharCode(code);
  if (!'"<>'.includes(character)) learn(VISIBLE, character);
  if (!'"<>;,\\'.includes(character)) learn(VALUE, character);
}

/** Whether there is something, and each character of it is in that set. */
export function isAll(set: number, text: string, from = 0, to = text.length): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || (SETS[code]! & set) === 0) return false;
  }
  return from < to;
}

export const isToken = (text: string) => isAll(TOKEN, text);

/** DIGIT strings only: no sign, no space, no exponent. undefined for anything else and above `limit`. */
export function parseNumber(text: string, limit: number): number | undefined {
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
    if (number > limit) return undefined;
  }
  return text === '' ? undefined : number;
}

/** `toLowerCase`, which leaves JavaScript to find, nearly always, that there is nothing to do. */
export const lowerCase = (text: string) => (hasBetween(text, UPPER_A, UPPER_Z) ? text.toLowerCase() : text);

/** The same for `toUpperCase`. */
export const upperCase = (text: string) => (hasBetween(text, LOWER_A, LOWER_Z) ? text.toUpperCase() : text);

/** A character of that range, or one beyond ASCII, of which only Unicode knows the case. */
function hasBetween(text: string, first: number, last: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code >= first && code <= last) || code >= 128) return true;
  }
  return false;
}

const ZERO = 0x30;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const SP = 0x20;
const HTAB = 0x09;
const DQUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SEMI = 0x3b;
const LAQUOT = 0x3c;
const EQUAL = 0x3d;
const RAQUOT = 0x3e;

export const isBlank = (code: number) => code === SP || code === HTAB;

/** Without the blanks (SP, HTAB) at both ends. Not `trim()`, which takes a byte order mark for a blank. */
export function trimBlanks(text: string, from = 0, to = text.length): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** The index of the first character at or after `from` that is no blank. */
export function skipBlanks(text: string, from: number): number {
  while (isBlank(text.charCodeAt(from))) from++;
  return from;
}

/** `text[from]` is the opening quote. The index after the closing one, or -1 where there is none. */
export function endOfQuoted(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === DQUOTE) return at + 1;
  }
  return -1;
}

/** `quoted` with its quotes → its text (RFC 3261 §25.1, quoted-pair). */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

export const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** The elements of a comma-separated list. Commas in quoted strings and between `<` and `>` do not separate. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return [trimBlanks(value)];
  const elements: string[] = [];
  let start = 0;
  let inAngles = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === COMMA && !inAngles) {
      elements.push(trimBlanks(value, start, at));
      start = at + 1;
    } else if (code === LAQUOT) inAngles = true;
    else if (code === RAQUOT) inAngles = false;
    else if (code === DQUOTE && !inAngles) {
      const end = endOfQuoted(value, at);
      if (end < 0) break;
      at = end - 1;
    }
  }
  elements.push(trimBlanks(value, start));
  return elements;
}

// generic-param = token [ EQUAL gen-value ] ; gen-value = token / host / quoted-string
// Departure: an unquoted value may hold every character that cannot end it, because tags and branches of
// deployed devices hold `=`, `/` and `@`, and rejecting them gains nobody anything.
const UNQUOTED = /^[^\s"<>;,\\]+$/;

const isUnquoted = (text: string) => isAll(VALUE, text) || UNQUOTED.test(text);

/**
 * Reads `*( SEMI generic-param )` from `from` to the end of `text`. Blanks around `;` and `=` are allowed.
 * Malformed: an empty or repeated name, an empty value, an unterminated string, more than MAX_PARAMETERS.
 */
export function parseParameters(text: string, from: number): Parameters | Malformed {
  const parameters = noParameters();
  let at = skipBlanks(text, from);
  for (let count = 0; at < text.length; count++) {
    if (text.charCodeAt(at) !== SEMI) return malformed(400, 'Unexpected characters before a parameter');
    if (count === MAX_PARAMETERS) return malformed(400, 'Too many parameters');
    const nameStart = skipBlanks(text, at + 1);
    at = nameStart;
    while (at < text.length && text.charCodeAt(at) !== SEMI && text.charCodeAt(at) !== EQUAL) at++;
    const name = lowerCase(trimBlanks(text, nameStart, at));
    if (!isToken(name)) return malformed(400, 'Bad parameter name');
    // RFC 3261 §7.3.1: a parameter name must not appear more than once.
    if (name in parameters) return malformed(400, 'Repeated parameter');
    if (text.charCodeAt(at) !== EQUAL) {
      parameters[name] = true;
      continue;
    }
    const valueStart = skipBlanks(text, at + 1);
    if (text.charCodeAt(valueStart) === DQUOTE) {
      at = endOfQuoted(text, valueStart);
      if (at < 0) return malformed(400, 'Unterminated quoted string');
      parameters[name] = unquote(text.slice(valueStart, at));
      at = skipBlanks(text, at);
    } else {
      at = valueStart;
      while (at < text.length && text.charCodeAt(at) !== SEMI) at++;
      const value = trimBlanks(text, valueStart, at);
      if (!isUnquoted(value)) return malformed(400, 'Bad parameter value');
      parameters[name] = value;
    }
  }
  return parameters;
}

/** `;name=value;flag`, values quoted where they must be. */
export function printParameters(parameters: Parameters): string {
  let text = '';
  for (const name in parameters) {
    const value = parameters[name]!;
    text += value === true ? `;${name}` : `;${name}=${isUnquoted(value) ? value : quote(value)}`;
  }
  return text;
}
