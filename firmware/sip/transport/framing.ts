/**
 * Where one message of a byte stream ends and the next begins: Content-Length (RFC 3261 §18.3, §20.14). No I/O: bytes
 * in, frames out, the same ones however the bytes were cut on their way.
 */
import { MAX_MESSAGE_BYTES } from '../message/limits.ts';

/** Bytes of a message before its body. What a device says in earnest stays below a tenth of it. */
export const headLimitBytes = 32_768;

export type Frame =
  | { is: 'message'; bytes: Uint8Array }
  /** CRLF between messages: the answer to a ping of ours, or half of a ping (RFC 5626 §3.5.1). */
  | { is: 'pong' }
  /** The second CRLF in a row: the other side wants a CRLF back. */
  | { is: 'ping' }
  /** Nobody can say any more where a message begins: the connection is of no use. The last frame. */
  | { is: 'fault'; why: string };

const LF = 10;
const CR = 13;
const empty = Buffer.alloc(0);

export class FrameReader {
  /** Read, and not yet part of a frame. */
  #pending: Buffer = empty;
  /** Free bytes right behind `#pending`, in memory of our own. */
  #spare: Buffer = empty;
  /** Up to here `#pending` holds no end of a head. */
  #scannedTo = 0;
  /** Bytes of the message under way, once its head is complete. */
  #wantedBytes = 0;
  /** Bytes of CRLFCRLF met between messages. */
  #lineEnds = 0;
  #faulty = false;

  /** Part of a message has come, and the rest has not. */
  get isInside() {
    return this.#pending.length > 0;
  }

  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.#faulty) return frames;
    this.#append(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    while (this.#pending.length > 0 && !this.#faulty) {
      if (this.#wantedBytes === 0 && !this.#skipLineEnds(frames)) break;
      if (this.#wantedBytes === 0 && !this.#readHead(frames)) break;
      if (this.#pending.length < this.#wantedBytes) break;
      frames.push({ is: 'message', bytes: this.#pending.subarray(0, this.#wantedBytes) });
      this.#pending = this.#pending.subarray(this.#wantedBytes);
      this.#wantedBytes = 0;
      this.#scannedTo = 0;
    }
    return frames;
  }

  /** Without a copy where a message comes in one piece, and with few where it comes in many. */
  #append(chunk: Buffer) {
    const keptBytes = this.#pending.length;
    if (keptBytes === 0) {
      this.#pending = chunk;
      this.#spare = empty;
    } else if (this.#spare.length >= chunk.length) {
      chunk.copy(this.#spare);
      this.#spare = this.#spare.subarray(chunk.length);
      const { buffer, byteOffset } = this.#pending;
      this.#pending = Buffer.from(buffer, byteOffset, keptBytes + chunk.length);
    } else {
      const larger = Buffer.allocUnsafeSlow(2 * (keptBytes + chunk.length));
      this.#pending.copy(larger);
      chunk.copy(larger, keptBytes);
      this.#pending = larger.subarray(0, keptBytes + chunk.length);
      this.#spare = larger.subarray(keptBytes + chunk.length);
    }
  }

  /** Takes the line ends in front of a message (§7.5). False where nothing else is here. */
  #skipLineEnds(frames: Frame[]): boolean {
    if (this.#scannedTo > 0) return true;
    let at = 0;
    for (; at < this.#pending.length; at++) {
      const byte = this.#pending[at];
      const expected = this.#lineEnds % 2 === 0 ? CR : LF;
      if (byte !== expected) break;
      this.#lineEnds++;
      if (this.#lineEnds === 2) frames.push({ is: 'pong' });
      if (this.#lineEnds === 4) {
        frames.push({ is: 'ping' });
        this.#lineEnds = 0;
      }
    }
    this.#pending = this.#pending.subarray(at);
    const rest = this.#pending.length > 0;
    if (rest && this.#lineEnds % 2 === 1) this.#fail('CR without LF between messages', frames);
    if (rest) this.#lineEnds = 0;
    return rest && !this.#faulty;
  }

  /** Finds the empty line and the length of what follows it. False where the head is not complete or not sound. */
  #readHead(frames: Frame[]): boolean {
    // A token begins a message; a TLS greeting or a NUL does not, and need not be waited for.
    const first = this.#pending[0]!;
    if (first < 0x21 || first > 0x7e) return this.#fail('not SIP', frames);
    const headBytes = this.#findHead();
    if (headBytes === undefined) {
      if (this.#pending.length > headLimitBytes) return this.#fail('header fields too long', frames);
      return false;
    }
    if (headBytes > headLimitBytes) return this.#fail('header fields too long', frames);
    const length = contentLengthOf(this.#pending.toString('latin1', 0, headBytes));
    if (typeof length === 'string') return this.#fail(length, frames);
    if (headBytes + length > MAX_MESSAGE_BYTES) return this.#fail('message too large', frames);
    this.#wantedBytes = headBytes + length;
    return true;
  }

  /** Bytes up to and with the empty line; each byte is looked at once, however often more of them arrive. */
  #findHead(): number | undefined {
    const bytes = this.#pending;
    let at = bytes.indexOf(LF, this.#scannedTo);
    while (at >= 0 && at + 1 < bytes.length) {
      if (bytes[at + 1] === LF) return at + 2;
      if (bytes[at + 1] === CR) {
        if (at + 2 >= bytes.length) break;
        if (bytes[at + 2] === LF) return at + 3;
      }
      at = bytes.indexOf(LF, at + 1);
    }
    // At least 1, to remember that this message has begun.
    this.#scannedTo = Math.max(1, at < 0 ? bytes.length : at);
    return undefined;
  }

  #fail(why: string, frames: Frame[]): false {
    this.#faulty = true;
    this.#pending = empty;
    this.#spare = empty;
    frames.push({ is: 'fault', why });
    return false;
  }
}

// Content-Length = ( "Content-Length" / "l" ) HCOLON 1*DIGIT; HCOLON may be folded.
const NAME = /(?<=\n)(?:content-length|l)[ \t]*:/gi;
const VALUE = /(?:[ \t]|\r?\n[ \t])*(\d{1,9})[ \t]*(?=\r?\n)/y;

/** Or why there is none: over a stream it must be there (§20.14), and two that differ are an attack. */
function contentLengthOf(head: string): number | string {
  const names = [...head.matchAll(NAME)];
  if (names.length === 0) return 'no Content-Length';
  if (names.length > 1) return 'more than one Content-Length';
  VALUE.lastIndex = names[0]!.index + names[0]![0].length;
  const value = VALUE.exec(head);
  return value === null ? 'bad Content-Length' : Number(value[1]);
}
