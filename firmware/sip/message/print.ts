/** A message as the bytes of one datagram (RFC 3261 §7). */
import assert from 'node:assert/strict';
import type { Message } from './message.ts';

/** Content-Length is ours to know: whatever the headers say, the right one is written, after all others. */
export function printMessage(message: Message): Uint8Array {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  assert(!/[\r\n]/.test(start), 'a start line has a line end');
  const head = `${start}\r\n${message.headers.print()}Content-Length: ${message.body.length}\r\n\r\n`;
  const length = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(length + message.body.length);
  bytes.write(head);
  if (message.body.length > 0) bytes.set(message.body, length);
  return bytes;
}
