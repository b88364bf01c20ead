/** Whether something that a person wrote can be called. */
import { isMalformed, type Malformed, malformed } from './message/message.ts';
import { parseUri, type SipUri } from './message/uri.ts';

/** A SIP URI that can be reached over UDP, or why not. */
export function parseTarget(text: string): SipUri | Malformed {
  const uri = parseUri(text);
  if (isMalformed(uri)) return uri;
  if (uri.scheme === 'sips') return malformed(416, 'sips needs TLS, which is not supported');
  if (uri.headers !== undefined) return malformed(400, 'headers in a target are not supported');
  const { transport } = uri.parameters;
  if (transport !== undefined && String(transport).toLowerCase() !== 'udp') {
    return malformed(400, 'only UDP is supported');
  }
  return uri;
}
