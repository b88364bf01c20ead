/** Takes what is secret out of a SIP message: digest answers, passwords in URIs, keys of encrypted sound, door codes. Pure. */

/** What stands in its place. */
const MASKED = '***';

/** Parameters of Authorization and its kin that tell no secret, and that one wants to see (RFC 7616 §3.4). */
const SHOWN = ['realm', 'algorithm', 'qop', 'uri', 'username', 'nc', 'stale', 'charset', 'userhash', 'domain'];
const AUTHENTICATION = /^(?:(?:Proxy-)?(?:Authorization|Authenticate|Authentication-Info)|WWW-Authenticate)$/i;

/** The same message without its secrets; its Content-Length is right again. What is no SIP comes back as it is. */
export function maskMessage(bytes: Uint8Array): Uint8Array {
  // One character a byte: what is not touched stays as it was.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const body = end === null ? '' : text.slice(end.index + end[0].length);
  const maskedBody = /^(?:Content-Type|c)[ \t]*:[ \t]*application\/dtmf\b(?!-)/im.test(head)
    ? body.replace(/\S/g, '*')
    : maskBody(body);
  const maskedHead = withLength(maskHead(head), maskedBody.length - body.length);
  return Buffer.from(`${maskedHead}${end?.[0] ?? ''}${maskedBody}`, 'latin1');
}

/** A header field with its folded lines is one match. */
const FIELD = /^([^\s:]+)([ \t]*:[ \t]*)((?:[^\r\n]|\r?\n[ \t])*)/gm;

function maskHead(head: string): string {
  const lineEnd = head.search(/\r?\n/);
  const start = lineEnd < 0 ? head : head.slice(0, lineEnd);
  const fields = lineEnd < 0 ? '' : head.slice(lineEnd);
  const masked = fields.replace(FIELD, (whole, name: string, colon: string, value: string) =>
    AUTHENTICATION.test(name) ? `${name}${colon}${maskCredentials(name, value)}` : whole,
  );
  return maskUris(start + masked);
}

/** `Digest username="front", response="…"`: what is not known to be harmless goes. */
function maskCredentials(name: string, value: string): string {
  const scheme = /^\s*[A-Za-z0-9-]+\s+(?=\S)/.exec(value)?.[0] ?? '';
  const hasScheme = !/Info$/i.test(name);
  // Basic, Bearer and what else there may be: the whole of it is the secret.
  if (hasScheme && !/^\s*(?:Digest|AKAv\d-\w+)\s/i.test(value)) return `${scheme}${MASKED}`;
  const parameters = hasScheme ? value.slice(scheme.length) : value;
  const masked = parameters.replace(
    /([A-Za-z0-9_-]+)(\s*=\s*)("(?:[^"\\]|\\[\s\S])*"?|[^\s,]*)/g,
    (whole, key: string, equals: string, content: string) => {
      if (SHOWN.includes(key.toLowerCase())) return whole;
      return `${key}${equals}${content.startsWith('"') ? `"${MASKED}"` : MASKED}`;
    },
  );
  return (hasScheme ? scheme : '') + masked;
}

/** `sip:front:secret@example.org` (RFC 3261 §19.1.1: "NOT RECOMMENDED"; some do). */
const maskUris = (text: string) => text.replace(/\b(sips?:[^\s@:;<>"]{1,256}):[^\s@<>"]{0,256}@/gi, `$1:${MASKED}@`);

/** Keys of SRTP (RFC 4568 §9.1) and ICE, what RFC 4566 §5.12 called a key, and telephone keys by INFO: they open doors. */
const maskBody = (body: string) =>
  maskUris(body)
    .replace(/(inline:)[^\s|;]+/gi, `$1${MASKED}`)
    .replace(/^(k=\w+:)[^\r\n]*/gm, `$1${MASKED}`)
    .replace(/^(a=ice-pwd:)[^\r\n]*/gim, `$1${MASKED}`)
    .replace(/^([ \t]*Signal[ \t]*=[ \t]*)\S+/gim, `$1${MASKED}`);

/** A length that was right stays right; one that was wrong stays as wrong as it was. */
const withLength = (head: string, grownBy: number) =>
  grownBy === 0
    ? head
    : head.replace(/^((?:Content-Length|l)[ \t]*:[ \t]*)(\d{1,9})/im, (_, name: string, length: string) => {
        return `${name}${Math.max(0, Number(length) + grownBy)}`;
      });
