/** `Digest realm="…", nonce="…", qop="auth"`: challenges and credentials as text (RFC 7616 §3.3, §3.4, RFC 3261 §25.1). */
import { endOfQuoted, isToken, quote, skipBlanks, trimBlanks, unquote } from '../message/grammar.ts';
import { type Malformed, malformed } from '../message/message.ts';

/** auth-params of one challenge or one set of credentials. Far above the dozen that RFC 7616 knows. */
const MAX_AUTH_PARAMETERS = 32;

/** Names in lower case, values without quotes and escapes. No prototype: no name is special. */
export type AuthParameters = Record<string, string | undefined>;

// challenge = ("Digest" LWS digest-cln *(COMMA digest-cln)) / other-challenge ; auth-param = token EQUAL (token / quoted-string)
/** Malformed, or undefined where the scheme is not Digest: somebody else's business (RFC 4475 §3.3.7). */
export function parseDigest(value: string): AuthParameters | Malformed | undefined {
  if (!/^[ \t]*Digest(?:[ \t]|$)/i.test(value)) return undefined;
  const parameters = Object.create(null) as AuthParameters;
  let at = value.search(/Digest/i) + 'Digest'.length;
  for (let count = 0; ; count++) {
    // Empty elements are ignored (RFC 9110 §5.6.1.2).
    while (at < value.length && ', \t'.includes(value.charAt(at))) at++;
    if (at >= value.length) return parameters;
    if (count === MAX_AUTH_PARAMETERS) return malformed(400, 'Too many authentication parameters');
    const equal = value.indexOf('=', at);
    const name = trimBlanks(value, at, Math.max(equal, at)).toLowerCase();
    if (!isToken(name)) return malformed(400, 'Bad authentication parameter');
    if (name in parameters) return malformed(400, 'Repeated authentication parameter');
    at = skipBlanks(value, equal + 1);
    let end: number;
    if (value.charAt(at) === '"') {
      end = endOfQuoted(value, at);
      if (end < 0) return malformed(400, 'Unterminated quoted string');
      parameters[name] = unquote(value.slice(at, end));
      end = skipBlanks(value, end);
      if (end < value.length && value.charAt(end) !== ',') return malformed(400, 'Bad authentication parameter');
    } else {
      end = value.indexOf(',', at);
      if (end < 0) end = value.length;
      const text = trimBlanks(value, at, end);
      // Leniently wider than token: some servers write nonces and URIs without quotes.
      if (!/^[^\s",]+$/.test(text)) return malformed(400, 'Bad authentication parameter');
      parameters[name] = text;
    }
    at = end;
  }
}

/** Those that stand without quotes, by RFC 7616 §3.3 and §3.4; some servers accept no other form. */
const UNQUOTED = new Set(['algorithm', 'stale', 'nc']);

/** qop is quoted in a challenge and not in credentials (RFC 7616 §3.4). Absent values are left out. */
export function printDigest(parameters: AuthParameters, form: 'challenge' | 'credentials'): string {
  const parts: string[] = [];
  for (const name in parameters) {
    const value = parameters[name];
    if (value === undefined) continue;
    const bare = UNQUOTED.has(name) || (name === 'qop' && form === 'credentials');
    parts.push(`${name}=${bare ? value : quote(value)}`);
  }
  return `Digest ${parts.join(', ')}`;
}
