/** A traced message as the printers want it: read, numbered, known again. Pure. */

import { printAddress } from '../../lib/address.ts';
import type { TracedMessage } from '../../rpc/trace.ts';
import { parseCSeq } from '../../sip/message/cseq.ts';
import { isMalformed, type Message } from '../../sip/message/message.ts';
import { parseNameAddress } from '../../sip/message/name-addr.ts';
import { parseMessage } from '../../sip/message/parse.ts';

export interface Seen {
  /** Milliseconds since 1970. */
  atMs: number;
  way: 'in' | 'out';
  transport: TracedMessage['transport'];
  local: TracedMessage['local'];
  remote: TracedMessage['remote'];
  bytes: Buffer;
  /** `keep-alive`: line ends alone, or a STUN message; `malformed`: no SIP, or SIP with a fault. */
  is: 'message' | 'keep-alive' | 'malformed';
  /** Also of a malformed request, as far as it could be read. */
  message?: Message;
  /** What is wrong with a malformed one. */
  why?: string;
  /** Call-ID. */
  call?: string;
  /** Of a response: the method that it answers. */
  method?: string;
  /** The same bytes have gone the same way just before. */
  again: boolean;
}

/** Messages remembered to know a repetition: more than go by in the 32 s in which one is repeated. */
const REMEMBERED = 512;
/** 64*T1: later the same bytes are another message (RFC 3261 §17.1.1.2). Milliseconds. */
const REPEATED_WITHIN_MS = 32_000;

export class Reader {
  readonly #before = new Map<string, number>();

  read({ bytes: base64, atMs, way, transport, local, remote }: TracedMessage): Seen {
    const bytes = Buffer.from(base64, 'base64');
    const seen = { atMs, way, transport, local, remote, bytes };
    if (isKeepAlive(bytes)) return { ...seen, is: 'keep-alive', again: false };
    const again = this.#isAgain(`${way} ${transport} ${printAddress(remote)} ${base64}`, atMs);
    const read = parseMessage(bytes);
    const message = isMalformed(read) ? read.request : read;
    const facts = message === undefined ? {} : { message, ...namesOf(message) };
    return isMalformed(read)
      ? { ...seen, ...facts, is: 'malformed', why: read.why, again }
      : { ...seen, ...facts, is: 'message', again };
  }

  #isAgain(key: string, atMs: number): boolean {
    const beforeMs = this.#before.get(key);
    // The newest last: the oldest is the first to go.
    this.#before.delete(key);
    this.#before.set(key, atMs);
    if (this.#before.size > REMEMBERED) this.#before.delete(this.#before.keys().next().value!);
    return beforeMs !== undefined && atMs - beforeMs < REPEATED_WITHIN_MS;
  }
}

/** CRLF (RFC 5626 §3.5.1), NULs that some phones send, a STUN message (RFC 8489 §5: two zero bits, the magic cookie). */
function isKeepAlive(bytes: Buffer): boolean {
  if (bytes.length >= 20 && bytes[0]! < 2 && bytes.readUInt32BE(4) === 0x2112a442) return true;
  return bytes.every(byte => byte === 0x0d || byte === 0x0a || byte === 0);
}

function namesOf(message: Message): Pick<Seen, 'call' | 'method'> {
  const call = message.headers.get('Call-ID');
  const cseq = parseCSeq(message.headers.get('CSeq') ?? '');
  const method = message.kind === 'request' ? message.method : isMalformed(cseq) ? undefined : cseq.method;
  return { ...(call !== undefined && { call }), ...(method !== undefined && { method }) };
}

/** What `--call`, `--account` and `--method` let through. */
export interface Wanted {
  /** A Call-ID, or how it begins. */
  call?: string;
  /** The address of record of the account. */
  aor?: string;
  method?: string;
}

/** An empty choice lets everything through; any other no keep-alives. */
export class Filter {
  readonly #wanted: Wanted;
  /** Calls that the account has to do with: what belongs to them may name it in no place that we look at. */
  readonly #calls = new Set<string>();

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  passes({ message, call, method }: Seen): boolean {
    const { call: wantedCall, aor, method: wantedMethod } = this.#wanted;
    if (wantedCall !== undefined && !call?.startsWith(wantedCall)) return false;
    if (wantedMethod !== undefined && method?.toUpperCase() !== wantedMethod.toUpperCase()) return false;
    if (aor === undefined) return true;
    if (message === undefined) return false;
    if (call !== undefined && this.#calls.has(call)) return true;
    const isOf = ['From', 'To'].some(field => sameUser(message.headers.get(field) ?? '', aor));
    if (isOf && call !== undefined) this.#calls.add(call);
    if (this.#calls.size > REMEMBERED) this.#calls.delete(this.#calls.values().next().value!);
    return isOf;
  }
}

/** `"Front" <sip:front@example.org;transport=tcp>;tag=1` is of `sip:front@example.org:5060`. */
function sameUser(field: string, aor: string): boolean {
  const party = parseNameAddress(field);
  return !isMalformed(party) && userAt(party.uri) === userAt(aor);
}

const userAt = (uri: string) => /^sips?:(?:([^@:;]*)[^@]*@)?(\[[^\]]*\]|[^:;?]+)/i.exec(uri)?.slice(1).join('@');
