/**
 * Callers for whom no line is free: told so by 182 Queued (RFC 3261 §21.1.4), put through in the order in which they
 * came, or refused as busy when their time is up. Nothing of the device is taken for them but a place.
 */
import type { Clock } from '../lib/clock.ts';
import type { Body, CallEnd, CallHandler, Call as SipCall } from '../sip/contracts.ts';
import type { EventLog } from './event-log.ts';
import { nobody } from './nobody.ts';

export interface WaitingCallsParts {
  clock: Clock;
  events: EventLog;
  changed(): void;
}

/** Hears of a call that waits; once it is put through, passes on all that is said of it. */
class Place implements CallHandler {
  readonly remote: string;
  readonly session: SipCall;
  readonly sinceMs: number;
  readonly putThrough: () => CallHandler;
  readonly #onGone: () => void;
  cancel = () => {};
  handler: CallHandler | undefined;

  constructor(remote: string, session: SipCall, sinceMs: number, putThrough: () => CallHandler, onGone: () => void) {
    this.remote = remote;
    this.session = session;
    this.sinceMs = sinceMs;
    this.putThrough = putThrough;
    this.#onGone = onGone;
  }

  onProgress() {}

  onAnswered(body: Body | undefined) {
    this.handler?.onAnswered(body);
  }

  onOffer(...asked: Parameters<CallHandler['onOffer']>) {
    (this.handler ?? nobody).onOffer(...asked);
  }

  onReoffered(...told: Parameters<CallHandler['onReoffered']>) {
    this.handler?.onReoffered(...told);
  }

  onRefresh() {
    return (this.handler ?? nobody).onRefresh();
  }

  onKey(...told: Parameters<NonNullable<CallHandler['onKey']>>) {
    this.handler?.onKey?.(...told);
  }

  onTransfer(...asked: Parameters<NonNullable<CallHandler['onTransfer']>>) {
    if (this.handler?.onTransfer !== undefined) this.handler.onTransfer(...asked);
    else asked[1].refuse(480);
  }

  onTransferred(status: number) {
    this.handler?.onTransferred?.(status);
  }

  onTalk(...told: Parameters<NonNullable<CallHandler['onTalk']>>) {
    this.handler?.onTalk?.(...told);
  }

  onHold(...told: Parameters<NonNullable<CallHandler['onHold']>>) {
    this.handler?.onHold?.(...told);
  }

  onEnded(end: CallEnd) {
    if (this.handler === undefined) this.#onGone();
    else this.handler.onEnded(end);
  }
}

export class WaitingCalls {
  readonly #parts: WaitingCallsParts;
  readonly #places: Place[] = [];

  constructor(parts: WaitingCallsParts) {
    this.#parts = parts;
  }

  get size() {
    return this.#places.length;
  }

  /** Who waits, the next one first. */
  get remotes() {
    return this.#places.map(({ remote }) => remote);
  }

  /** `putThrough` is called once a line is free; it answers who hears of the call from then on. */
  add(session: SipCall, remote: string, forMs: number, putThrough: () => CallHandler): CallHandler {
    const { clock, events, changed } = this.#parts;
    const place = new Place(remote, session, clock.now(), putThrough, () =>
      this.#leave(place, 'the caller has hung up'),
    );
    place.cancel = clock.after(
      forMs,
      () => {
        this.#leave(place, 'no line became free in time');
        session.refuse(486);
      },
      'waiting call',
    );
    this.#places.push(place);
    session.queue();
    events.tell('call', 'waiting', { remote, place: this.#places.length });
    changed();
    return place;
  }

  /** Lines are free: as many are put through as `isFree` says, the longest waiting first. */
  serve(isFree: () => boolean) {
    while (isFree()) {
      const place = this.#places.shift();
      if (place === undefined) return;
      place.cancel();
      place.handler = place.putThrough();
    }
  }

  stop() {
    for (const place of this.#places.splice(0)) {
      place.cancel();
      place.handler = nobody;
      place.session.refuse(503);
    }
  }

  #leave(place: Place, why: string) {
    const at = this.#places.indexOf(place);
    if (at < 0) return;
    this.#places.splice(at, 1);
    place.cancel();
    place.handler = nobody;
    const { clock, events, changed } = this.#parts;
    const waitedForSeconds = Math.round((clock.now() - place.sinceMs) / 1000);
    events.tell('call', 'waiting ended', { remote: place.remote, why, waitedForSeconds });
    changed();
  }
}
