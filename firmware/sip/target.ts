/** Whether something that a person wrote can be called, and where. */
import { transportNames } from './hop.ts';
import { isMalformed, type Malformed, malformed } from './message/message.ts';
import { isPlainNumber, parseTel, sipUriOf } from './message/tel.ts';
import { parseUri, printUri, type SipUri } from './message/uri.ts';

/** A SIP URI that can be reached over UDP, TCP or TLS, or why not. */
export function parseTarget(text: string): SipUri | Malformed {
  const uri = parseUri(text);
  if (isMalformed(uri)) return uri;
  if (uri.headers !== undefined) return malformed(400, 'headers in a target are not supported');
  const { transport } = uri.parameters;
  if (transport === undefined) return uri;
  const name = String(transport).toLowerCase();
  if (!transportNames.some(known => known === name)) return malformed(400, 'only UDP, TCP and TLS are supported');
  if (uri.scheme === 'sips' && name === 'udp') return malformed(400, 'sips cannot be reached over UDP');
  return uri;
}

/**
 * The SIP URI to call: a SIP URI is taken as it is, a number is one of the server of `home`, the address of record of
 * who calls: `tel:+49-30-123` becomes `sip:+4930123@example.org;user=phone`, `4711` becomes `sip:4711@example.org`.
 */
export function targetAt(text: string, home: SipUri | undefined): string | Malformed {
  const isNumber = isPlainNumber(text);
  const tel = isNumber ? { number: text, parameters: [] } : parseTel(text);
  if (isMalformed(tel)) {
    if (tel.status !== 416) return tel;
    const uri = parseTarget(text);
    return isMalformed(uri) ? uri : text;
  }
  if (home === undefined) return malformed(400, 'a number needs an account, whose server knows it');
  // What is keyed in is a name to the PBX, which may have letters for others.
  if (isNumber && !text.startsWith('+')) return printUri({ ...home, user: text, password: undefined, parameters: {} });
  return sipUriOf(tel, home);
}

/** The same for what has been checked before: a mistake in it is left to the request that goes there. */
export function checkedTarget(text: string, home: SipUri | undefined): string {
  const uri = targetAt(text, home);
  return typeof uri === 'string' ? uri : text;
}
