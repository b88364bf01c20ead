/** One TCP or TLS connection: its messages, its deadlines, its keep-alive (RFC 5626 §3.5.1, §4.4.1). No I/O of its own. */
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { ConnectionKeepAlive } from '../contracts.ts';
import type { Hop } from '../hop.ts';
import { FrameReader } from './framing.ts';
import type { ByteStream, StreamEvents } from './stream.ts';

/** A connection must be up by then, TLS and all. The next server, or UDP, is tried after it. */
export const connectLimitMs = 4_000;
/** A connection opened by others must bring a message by then; and each message must be whole by then, byte by byte. */
export const messageLimitMs = 10_000;
/** Silence, after which a connection that nobody needs is closed. */
export const idleLimitMs = 600_000;
/** Bytes that wait for a peer that does not read. */
export const waitingLimitBytes = 262_144;
/** How long an answer to a request may still come, and the loss of the connection concerns it: 64*T1. */
const answerLimitMs = 32_000;
/** Requests of one connection whose answer may still come. */
export const unansweredLimit = 256;
/** Pause before each ping of a kept connection, by chance between these two (RFC 5626 §4.4.1); how long its pong may take. */
export const pingLeastMs = 95_000;
export const pingMostMs = 120_000;
export const pongLimitMs = 10_000;

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

export interface ConnectionUser {
  onMessage(bytes: Uint8Array, from: Hop): void;
  /** It is no more, for a reason of its own. The last thing said. */
  onGone(why: string): void;
}

export class Connection implements StreamEvents {
  /** Where it goes, with its number: what answers a message of it goes there. */
  readonly remote: Hop;
  /** Opened by us. */
  readonly isOurs: boolean;
  /** It has brought a whole message. */
  hasSpoken = false;
  /** When a message last went either way. */
  usedAtMs: number;
  /** Peers reach us by it: it does not idle out. */
  isKept = false;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #user: ConnectionUser;
  readonly #reader = new FrameReader();
  #stream: ByteStream | undefined;
  #gone = false;
  /** Those whose answer may still come, oldest first. */
  #unanswered: { untilMs: number; onError: (error: Error) => void }[] = [];
  /** The peer has answered a ping: so it always will. */
  #answersPings = false;
  /** The pause before a ping is by chance between these (RFC 5626 §4.4.1). */
  #pingMs = { least: pingLeastMs, most: pingMostMs };
  readonly #timers = new Map<'deadline' | 'idle' | 'ping' | 'pong', () => void>();

  constructor(parts: { clock: Clock; random: Random }, remote: Hop, isOurs: boolean, user: ConnectionUser) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.remote = remote;
    this.isOurs = isOurs;
    this.usedAtMs = parts.clock.now();
    this.#user = user;
  }

  start(stream: ByteStream) {
    this.#stream = stream;
    if (this.isOurs) this.#arm('deadline', connectLimitMs, () => this.fail('no connection in time'));
    else this.#arm('deadline', messageLimitMs, () => this.fail('no message in time'));
    this.#watchIdle();
  }

  /** The address of ours that it goes out from. */
  get localHost() {
    return this.#stream?.localHost;
  }

  /** `onError`: it ended before an answer came. Absent for what is not answered. */
  send(bytes: Uint8Array, onError?: (error: Error) => void) {
    if (onError !== undefined) this.#awaitAnswer(onError);
    this.usedAtMs = this.#clock.now();
    const stream = this.#stream!;
    if (stream.waitingBytes + bytes.length > waitingLimitBytes) this.fail('the peer does not read');
    else stream.write(bytes);
  }

  /** Peers reach us by it from now on: it is pinged, and stays. */
  keep() {
    if (this.isKept) return;
    this.isKept = true;
    this.#cancel('idle');
    this.#pingLater();
  }

  /** How a kept one is pinged from now on. */
  keepAlive({ longestMs = pingMostMs, answers }: ConnectionKeepAlive) {
    this.keep();
    if (answers) this.#answersPings = true;
    // What runs goes on: a registrar that is asked more often than it wants to be pinged would never be.
    if (longestMs === this.#pingMs.most) return;
    const least = longestMs === pingMostMs ? pingLeastMs : 0.8 * longestMs;
    this.#pingMs = { least, most: longestMs };
    this.#cancel('ping');
    if (longestMs === 0) this.#cancel('pong');
    else this.#pingLater();
  }

  /** Ends it for a reason of ours or of the network. */
  fail(why: string) {
    if (this.#gone) return;
    this.close();
    this.#tellUnanswered(new Error(why));
    this.#user.onGone(why);
  }

  /** Ends it without a word to anybody. */
  close() {
    this.#gone = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#stream?.close();
  }

  onOpen() {
    this.#cancel('deadline');
  }

  onClose(why = 'closed by the peer') {
    this.fail(why);
  }

  onBytes(bytes: Uint8Array) {
    if (this.#gone) return;
    for (const frame of this.#reader.push(bytes)) {
      // What a message caused may have ended the connection.
      if (this.#gone) return;
      if (frame.is === 'message') {
        this.#cancel('deadline');
        this.hasSpoken = true;
        this.usedAtMs = this.#clock.now();
        this.#user.onMessage(frame.bytes, this.remote);
      } else if (frame.is === 'ping') this.#stream!.write(pong);
      else if (frame.is === 'pong') this.#ponged();
      else this.fail(frame.why);
    }
    // It runs from the first byte of a message on, whatever else trickles in.
    if (!this.#gone && this.#reader.isInside && !this.#timers.has('deadline')) {
      this.#arm('deadline', messageLimitMs, () => this.fail('no whole message in time'));
    }
  }

  #awaitAnswer(onError: (error: Error) => void) {
    const nowMs = this.#clock.now();
    while (this.#unanswered.length >= unansweredLimit || (this.#unanswered[0]?.untilMs ?? nowMs + 1) <= nowMs) {
      this.#unanswered.shift();
    }
    this.#unanswered.push({ untilMs: nowMs + answerLimitMs, onError });
  }

  /** Later: a transaction may be in the middle of sending just now. */
  #tellUnanswered(error: Error) {
    const nowMs = this.#clock.now();
    const waiting = this.#unanswered.splice(0).filter(({ untilMs }) => untilMs > nowMs);
    if (waiting.length === 0) return;
    const tell = () => {
      for (const { onError } of waiting) onError(error);
    };
    this.#clock.after(0, tell, 'connection ended');
  }

  #watchIdle() {
    const leftMs = this.usedAtMs + idleLimitMs - this.#clock.now();
    if (leftMs <= 0) this.fail('idle');
    else this.#arm('idle', leftMs, () => this.#watchIdle());
  }

  #pingLater() {
    const { least, most } = this.#pingMs;
    const pauseMs = least + this.#random.next() * (most - least);
    this.#arm('ping', pauseMs, () => {
      this.#stream!.write(ping);
      this.#pingLater();
      if (this.#answersPings && !this.#timers.has('pong'))
        this.#arm('pong', pongLimitMs, () => this.fail('no answer to a keep-alive'));
    });
  }

  /** Many servers never send one: only who has done so once is held to it. */
  #ponged() {
    this.#cancel('pong');
    if (this.isKept) this.#answersPings = true;
  }

  #arm(timer: 'deadline' | 'idle' | 'ping' | 'pong', delayMs: number, task: () => void) {
    this.#cancel(timer);
    const fire = () => {
      this.#timers.delete(timer);
      task();
    };
    this.#timers.set(timer, this.#clock.after(delayMs, fire, `connection ${timer}`));
  }

  #cancel(timer: 'deadline' | 'idle' | 'ping' | 'pong') {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }
}
