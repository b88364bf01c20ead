/** Whether something that a person wrote can be called. */
import { transportNames } from './hop.ts';
import { isMalformed, type Malformed, malformed } from './message/message.ts';
import { parseUri, type SipUri } from './message/uri.ts';

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
