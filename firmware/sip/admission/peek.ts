/** What a datagram seems to be, by its first bytes: enough to turn it away, for less than it costs to read it. */

export type Kind = 'INVITE' | 'ACK' | 'request' | 'response' | 'keep-alive' | 'garbage';

/** A method is a token; ours are short, and the longest that RFC 4475 thinks of has 44 characters. Bytes. */
const startLimitBytes = 64;
/** Line ends before a message (RFC 3261 §7.5). Bytes. */
const lineEndsLimitBytes = 16;

const NUL = 0;
const LF = 10;
const CR = 13;
const SP = 32;

const isFiller = (byte: number) => byte === CR || byte === LF || byte === NUL;

export function kindOf(bytes: Uint8Array): Kind {
  let from = 0;
  while (from < bytes.length && from < lineEndsLimitBytes && isFiller(bytes[from]!)) from++;
  if (from === bytes.length) return 'keep-alive';
  let end = from;
  const most = Math.min(bytes.length, from + startLimitBytes);
  // A token, or SIP/2.0: printing characters.
  while (end < most && bytes[end]! > SP && bytes[end]! < 0x7f) end++;
  if (end === most || end === from || bytes[end] !== SP) return 'garbage';
  if (startsWith(bytes, from, end, 'SIP/2.0')) return 'response';
  if (startsWith(bytes, from, end, 'INVITE')) return 'INVITE';
  return startsWith(bytes, from, end, 'ACK') ? 'ACK' : 'request';
}

function startsWith(bytes: Uint8Array, from: number, end: number, word: string): boolean {
  if (end - from !== word.length) return false;
  for (let at = 0; at < word.length; at++) if (bytes[from + at] !== word.charCodeAt(at)) return false;
  return true;
}

/** Only line ends and NULs: RFC 5626 §4.4.1, and what phones send to hold a NAT open. */
export function isKeepAlive(bytes: Uint8Array): boolean {
  // Nothing else begins with a line end, as a rule; then one look is enough.
  return bytes.length === 0 || (isFiller(bytes[0]!) && bytes.every(isFiller));
}
