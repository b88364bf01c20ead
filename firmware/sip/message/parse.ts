/** One datagram to one message. Bytes are scanned once; values stay raw text until asked for (RFC 3261 §7, §18.3). */
import { usualField } from './fields.ts';
import { isAll, isToken, parseNumber, trimBlanks, VISIBLE } from './grammar.ts';
import { Headers } from './headers.ts';
import { MAX_HEADER_FIELD_LENGTH, MAX_HEADER_FIELDS, MAX_MESSAGE_BYTES } from './limits.ts';
import { type Malformed, type Message, malformed, type Request, type Response } from './message.ts';
import { validate } from './validate.ts';

/**
 * Never throws. Malformed with status 0 is to be dropped silently: keep-alives (CRLF, RFC 5626 §4.4.1), what is not
 * SIP, and faulty responses, which nobody answers (RFC 3261 §8.1.3). `bytes` is kept: the body is a view of it.
 */
export function parseMessage(bytes: Uint8Array): Message | Malformed {
  if (bytes.length > MAX_MESSAGE_BYTES) return malformed(0, 'Message too large');
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One character a byte, so that offsets in the text are offsets in the bytes; UTF-8 is decoded value by value.
  const text = buffer.toString('latin1');
  const lines = new Lines(text);
  const startLine = lines.next(skipLineEnds(text));
  if (startLine === undefined) return malformed(0, 'Keep-alive');

  const decode = isAscii(text) ? (value: string) => value : utf8;
  const start = parseStartLine(startLine, decode);
  if (start.kind === 'malformed') return start;
  const { message } = start;
  // The first fault decides, but reading goes on: an answer needs the header fields behind it.
  let fault = start.fault;
  const { fault: headerFault, bodyAt } = parseHeaders(lines, message.headers, decode);
  fault ??= headerFault;
  fault ??= cutBody(message, buffer, bodyAt) ?? validate(message);
  if (fault === undefined) return message;
  if (message.kind === 'response') return malformed(0, fault.why);
  return canBeAnswered(message) ? { ...fault, request: message } : fault;
}

/** Lines of a text, ended by CRLF or, leniently, LF alone. */
class Lines {
  readonly #text: string;
  #at = 0;
  #cr = -2;
  /** A CR was met that ends no line: two readers would disagree where the line ends. */
  bareCr = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next line begins. */
  get at() {
    return this.#at;
  }

  /** Without its end; undefined at the end of the text. A last line without an end counts. */
  next(from = this.#at): string | undefined {
    const text = this.#text;
    if (from >= text.length) return undefined;
    const lf = text.indexOf('\n', from);
    const end = lf < 0 ? text.length : lf;
    this.#at = lf < 0 ? end : lf + 1;
    // The next CR is remembered, so that a text without any is not searched again for every line.
    if (this.#cr < from && this.#cr !== -1) this.#cr = text.indexOf('\r', from);
    if (this.#cr < 0 || this.#cr >= end) return text.slice(from, end);
    if (lf < 0 || this.#cr < end - 1) this.bareCr = true;
    return text.slice(from, text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
  }

  /** The next line continues this one: it begins with a blank (§7.3.1). */
  get folded() {
    const code = this.#text.charCodeAt(this.#at);
    return code === 0x20 || code === 0x09;
  }
}

/** §7.5: CRLF before the start line is ignored; NULs too, which some phones send to keep a NAT open. */
function skipLineEnds(text: string): number {
  let at = 0;
  while (at < text.length && '\r\n\0'.includes(text.charAt(at))) at++;
  return at;
}

type Decode = (value: string) => string;

/** A loop, for a message is read once in a while: Node's own is faster only where it is always called. */
function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 128) return false;
  return true;
}

const utf8: Decode = value => (/[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value);

type Start = { kind: 'start'; message: Request | Response; fault: Malformed | undefined };

const empty = new Uint8Array(0);

/**
 * Request-Line = Method SP Request-URI SP SIP-Version; Status-Line = SIP-Version SP Status-Code SP Reason-Phrase.
 * Malformed itself only where it is no SIP at all.
 */
function parseStartLine(line: string, decode: Decode): Start | Malformed {
  const headers = new Headers();
  if (line.slice(0, 4).toUpperCase() === 'SIP/') {
    const parts = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.*))?$/i.exec(line);
    if (parts === null) return malformed(0, 'Bad status line');
    const message: Response = {
      kind: 'response',
      status: Number(parts[1]),
      reason: decode(parts[2] ?? ''),
      headers,
      body: empty,
    };
    return { kind: 'start', message, fault: undefined };
  }
  const trimmed = trimBlanks(line);
  const first = trimmed.indexOf(' ');
  const last = trimmed.lastIndexOf(' ');
  const version = trimmed.slice(last + 1);
  if (last <= first || (version !== 'SIP/2.0' && !/^SIP\/[0-9]+\.[0-9]+$/i.test(version)))
    return malformed(0, 'Not a SIP message');
  const method = trimmed.slice(0, first);
  const uri = decode(trimmed.slice(first + 1, last));
  const message: Request = { kind: 'request', method, uri, headers, body: empty };
  let fault: Malformed | undefined;
  if (version.toUpperCase() !== 'SIP/2.0') fault = malformed(505, 'Version Not Supported');
  else if (!isToken(method)) fault = malformed(400, 'Bad method');
  // RFC 4475 §3.1.2.8 to §3.1.2.10 would let us guess; two readers that guess differently are a hole.
  else if (trimmed.length !== line.length || (!isAll(VISIBLE, uri) && /[\s<>"]/.test(uri)))
    fault = malformed(400, 'Bad Request-Line');
  return { kind: 'start', message, fault };
}

/** message-header = (header-name HCOLON header-value) CRLF, up to the empty line. */
function parseHeaders(
  lines: Lines,
  headers: Headers,
  decode: Decode,
): { fault: Malformed | undefined; bodyAt: number } {
  let fault: Malformed | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line === '') return { fault, bodyAt: lines.at };
    let length = line.length;
    while (lines.folded && length <= MAX_HEADER_FIELD_LENGTH) {
      // A fold counts as one SP.
      const more = lines.next()!;
      length += more.length + 1;
      line = `${line} ${trimBlanks(more)}`;
    }
    // Beyond these nobody reads on: there may be no answer then, and whoever sends this needs none.
    const excess = excessOf(lines, headers, length);
    if (excess !== undefined) return { fault: fault ?? malformed(400, excess), bodyAt: lines.at };
    const colon = line.indexOf(':');
    const usual = usualField(line.slice(0, Math.max(colon, 0)));
    if (usual !== undefined) {
      headers.addRead(usual, decode(trimBlanks(line, colon + 1)));
      continue;
    }
    // HCOLON = *( SP / HTAB ) ":" SWS
    const name = trimBlanks(line, 0, Math.max(colon, 0));
    if (!isToken(name) || line.charCodeAt(0) <= 0x20) {
      fault ??= malformed(400, 'Bad header field name');
      continue;
    }
    headers.add(name, decode(trimBlanks(line, colon + 1)));
  }
  // §7: the empty line must be there even where no body is. Without it the datagram was cut.
  return { fault: fault ?? malformed(400, 'No empty line after the header fields'), bodyAt: lines.at };
}

function excessOf(lines: Lines, headers: Headers, length: number): string | undefined {
  if (length > MAX_HEADER_FIELD_LENGTH) return 'Header field too long';
  if (headers.size === MAX_HEADER_FIELDS) return 'Too many header fields';
  return lines.bareCr ? 'CR without LF' : undefined;
}

/** §18.3: octets beyond Content-Length are discarded, a body shorter than it is 400; without it the datagram's end counts. */
function cutBody(message: Message, bytes: Uint8Array, from: number): Malformed | undefined {
  const written = message.headers.get('Content-Length');
  const rest = bytes.length - from;
  const length = written === undefined ? rest : parseNumber(written, MAX_MESSAGE_BYTES);
  if (length === undefined) return malformed(400, 'Bad Content-Length');
  if (length > rest) return malformed(400, 'Content-Length larger than the message');
  if (length > 0) message.body = bytes.subarray(from, from + length);
  return undefined;
}

/** An ACK is never answered (§17.1.1.3), nor what has nothing to match the answer with. */
const canBeAnswered = ({ method, headers }: Request) =>
  method !== 'ACK' && isToken(method) && ['Via', 'From', 'To', 'Call-ID', 'CSeq'].every(name => headers.has(name));
