/** INFO inside a call: a key that was pressed, in either of the two bodies that telephones use (RFC 6086). */
import type { Body, CallHandler } from '../contracts.ts';
import { bodyOf } from '../dialog/request.ts';
import { parseNumber } from '../message/grammar.ts';
import { isMalformed, type Malformed, malformed } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';

/** Both are older than RFC 6086 and have no Info-Package: "legacy usage" (§9). */
const relay = 'application/dtmf-relay';
const plain = 'application/dtmf';

/** What a key lasts that is sent without a duration, and what a sent one is brought between. Milliseconds. */
const usualMs = 250;
const [leastMs, mostMs] = [100, 5_000];

/** Longest body that is read, bytes: two short lines. */
const bodyLimit = 128;

export interface PressedKey {
  /** `0` … `9`, `*`, `#`, `A` … `D`; undefined for a hook flash, which means nothing to us. */
  key: string | undefined;
  durationMs: number;
}

/** Which key an INFO body tells; undefined where it is of another type. */
export function parseKey({ contentType, bytes }: Body): PressedKey | Malformed | undefined {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (type !== relay && type !== plain) return undefined;
  if (bytes.length > bodyLimit) return malformed(413, 'DTMF body too long');
  const text = Buffer.from(bytes).toString('latin1').trim();
  const signal = field(text, 'Signal') ?? (type === plain ? text : '');
  const key = keyOf(signal);
  if (key === undefined) return malformed(400, 'Not a DTMF signal');
  const duration = parseNumber(field(text, 'Duration') ?? '', Number.MAX_SAFE_INTEGER) ?? usualMs;
  return { key: key === 'flash' ? undefined : key, durationMs: Math.min(Math.max(duration, leastMs), mostMs) };
}

/** Blanks around `=` are met in the field. */
const field = (text: string, name: string) => new RegExp(`^${name}[ \\t]*=[ \\t]*(\\S+)[ \\t]*$`, 'im').exec(text)?.[1];

/** A key as itself, or as the number of its event (RFC 4733 §3.2): 10 is `*`, 11 `#`, 12 to 15 A to D, 16 a flash. */
function keyOf(signal: string): string | undefined {
  if (/^[0-9*#A-D]$/i.test(signal)) return signal.toUpperCase();
  const event = parseNumber(signal, 16);
  if (event === undefined || event < 10 || signal.length !== 2) return undefined;
  return event === 16 ? 'flash' : '*#ABCD'[event - 10];
}

export function serveInfo(transaction: ServerTransaction, handler: CallHandler | undefined) {
  const { request } = transaction;
  if (request.headers.has('Info-Package')) {
    // RFC 6086 §4.2.2: we take no package, and say so with an empty list (§7).
    transaction.respond(469, { headers: [['Recv-Info', '']] });
    return;
  }
  const body = bodyOf(request);
  // Without a body it is a question whether we are still there (RFC 2976 §2.2).
  const pressed = body === undefined ? undefined : parseKey(body);
  if (body !== undefined && pressed === undefined) {
    transaction.respond(415, { headers: [['Accept', `${relay}, ${plain}`]] });
  } else if (pressed !== undefined && isMalformed(pressed)) {
    transaction.respond(pressed.status, { reason: pressed.why });
  } else {
    transaction.respond(200);
    if (pressed?.key !== undefined) handler?.onKey?.(pressed.key, pressed.durationMs);
  }
}
