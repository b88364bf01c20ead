/** What carries SIP, and keeps it open: a socket that cannot be had is tried again until it can. */
import type { Clock } from '../../hal/contracts.ts';
import { backoff } from '../lib/backoff.ts';
import type { Random } from '../lib/random.ts';
import type { Transport } from '../sip/contracts.ts';
import type { Hop } from '../sip/hop.ts';
import type { Inspect } from '../sip/transport/inspect.ts';
import type { EventLog } from './event-log.ts';
import type { SipConnectionStatus } from './sip-status.ts';

/** Opened and closed with the telephone. */
export interface SipSocket extends Transport {
  /** `onFailure` is told in words when a socket cannot be bound or dies (`deaf`: no call can come any more); `onLost` when a kept connection is gone. */
  start(
    receive: (bytes: Uint8Array, from: Hop) => void,
    onFailure: (why: string, deaf?: boolean) => void,
    onLost: (to: Hop) => void,
  ): void;
  stop(): void;
  /** Opens a connection of its own, looks at it, and closes it. */
  inspect?: Inspect;
  /** The TCP and TLS connections that are open now. */
  connections?(): readonly SipConnectionStatus[];
}

export interface KeptSocketParts {
  clock: Clock;
  random: Random;
  events: EventLog;
  socket: SipSocket;
  receive(bytes: Uint8Array, from: Hop): void;
  /** It is open again after a time without. */
  onOpenAgain(): void;
  onLost(to: Hop): void;
  changed(): void;
}

/** Ever more seldom: an address may come up after us. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** A socket that has not failed for so long is open. Milliseconds. */
const OPEN_AFTER_MS = 500;

export class KeptSocket {
  readonly #parts: KeptSocketParts;
  #failure: string | undefined;
  /** A way in that cannot be had, while others can. */
  #closed: string | undefined;
  #retries: Iterator<number, never> | undefined;
  /** The next try, or the moment when it counts as open. */
  #cancel: (() => void) | undefined;

  constructor(parts: KeptSocketParts) {
    this.#parts = parts;
  }

  /** Why it cannot be had: nobody can call, and nobody be called. */
  get failure() {
    return this.#failure;
  }

  /** Why it, or one way into it, cannot be had. */
  get problem() {
    return this.#failure ?? this.#closed;
  }

  start() {
    const { socket, receive, onLost, clock } = this.#parts;
    if (this.#failure !== undefined)
      this.#cancel = clock.after(OPEN_AFTER_MS, () => this.#openAgain(), 'SIP socket open');
    socket.start(receive, (why, deaf = true) => (deaf ? this.#failed(why) : this.#oneWayFailed(why)), onLost);
  }

  stop() {
    this.#cancel?.();
    this.#parts.socket.stop();
  }

  #openAgain() {
    const { events, onOpenAgain, changed } = this.#parts;
    this.#failure = undefined;
    this.#retries = undefined;
    events.tell('sip', 'socket open');
    onOpenAgain();
    changed();
  }

  /** The others go on. It is tried again with the next start of the telephone. */
  #oneWayFailed(why: string) {
    const { events, changed } = this.#parts;
    this.#closed = why;
    events.tell('sip', 'socket failed', { why });
    changed();
  }

  #failed(why: string) {
    const { events, clock, random, changed } = this.#parts;
    this.stop();
    const isNews = why !== this.#failure;
    this.#failure = why;
    if (isNews) events.tell('sip', 'socket failed', { why });
    this.#retries ??= backoff({ firstMs: FIRST_RETRY_MS, limitMs: LAST_RETRY_MS, random });
    this.#cancel = clock.after(this.#retries.next().value, () => this.start(), 'SIP socket again');
    changed();
  }
}
