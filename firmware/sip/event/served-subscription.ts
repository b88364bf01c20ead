/**
 * One subscription that a peer holds with us: NOTIFY with the newest state, one at a time, at most one a second, until
 * it ends (RFC 6665 §4.2.2).
 */
import type { Account } from '../account.ts';
import { addContact, type Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { setBody } from '../dialog/request.ts';
import { Exchange, retryAfterOf } from '../exchange.ts';
import type { Response } from '../message/message.ts';

/** Between two NOTIFYs that nobody asked for (§4.2.3: the package names a rate). */
export const leastPauseMs = 1_000;
/** A subscriber that asks for more patience than this is not obeyed further. */
const retryLimitMs = 60_000;

/** Why it ended, as the value of Subscription-State says it (§4.1.3). */
export type EndReason = 'timeout' | 'probation;retry-after=60';

export interface ServedParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  /** The value of Event as the peer wrote it: its id tells several subscriptions of a peer apart. */
  event: string;
  contentType: string;
  /** Equal where there is nothing new to tell. */
  gist(): string;
  write(): string;
  /** Nothing of it is on the wire any more. Once. */
  onGone(): void;
}

export class ServedSubscription {
  readonly #parts: ServedParts;
  /** By our clock. */
  untilMs = 0;
  #ending: EndReason | undefined;
  #state: 'quiet' | 'sending' | 'pausing' | 'gone' = 'quiet';
  /** There is something to tell; `at once` does not wait for the end of a pause. */
  #wanted: 'no' | 'soon' | 'at once' = 'no';
  #told: string | undefined;
  #cancelExpiry = () => {};
  #cancelPause = () => {};

  constructor(parts: ServedParts) {
    this.#parts = parts;
  }

  get isOver() {
    return this.#ending !== undefined || this.#state === 'gone';
  }

  get dialog() {
    return this.#parts.dialog;
  }

  /** Granted for so long from now on. 0: what it is now, and no more (§4.4.3). Told at once either way. */
  grant(expiresMs: number) {
    const { clock } = this.#parts.core;
    this.#cancelExpiry();
    this.untilMs = clock.now() + expiresMs;
    if (expiresMs === 0) return this.end('timeout');
    this.#cancelExpiry = clock.after(expiresMs, () => this.end('timeout'), 'subscription expires');
    this.#want('at once');
  }

  /** The state may be another one. */
  changed() {
    if (!this.isOver) this.#want('soon');
  }

  tellAgain() {
    if (!this.isOver) this.#want('at once');
  }

  /** The last NOTIFY says why, and what the state was. */
  end(reason: EndReason) {
    if (this.isOver) return;
    this.#cancelExpiry();
    this.#ending = reason;
    this.#want('at once');
  }

  #want(when: 'soon' | 'at once') {
    if (this.#wanted !== 'at once') this.#wanted = when;
    if (this.#state === 'quiet') this.#notify();
    else if (this.#state === 'pausing' && this.#wanted === 'at once') this.#notify();
  }

  #notify() {
    const { core, dialog, account, event, contentType, gist, write } = this.#parts;
    const isAsked = this.#wanted === 'at once';
    this.#wanted = 'no';
    const news = gist();
    if (news === this.#told && !isAsked) return;
    this.#told = news;
    this.#cancelPause();
    this.#state = 'sending';
    const ending = this.#ending;
    const leftS = Math.max(0, Math.round((this.untilMs - core.clock.now()) / 1000));
    const request = dialog.request('NOTIFY');
    request.headers.add('Event', event);
    request.headers.add(
      'Subscription-State',
      ending === undefined ? `active;expires=${leftS}` : `terminated;reason=${ending}`,
    );
    setBody(request, { contentType, bytes: new TextEncoder().encode(write()) });
    new Exchange(core, {
      request,
      nextHop: dialog.nextHop,
      account,
      nextSequence: () => dialog.nextSequence(),
      prepare: addContact(account),
      onResponse: response => {
        if (response.status >= 200) this.#answered(response, ending !== undefined);
      },
      onFailure: () => this.#leave(),
    }).start();
  }

  #answered(response: Response, wasLast: boolean) {
    const { status } = response;
    const retryAfterMs = retryAfterOf(response);
    // §4.2.2: who does not take it does not listen any more, unless it says when it will.
    if (wasLast || (status >= 300 && (status === 481 || retryAfterMs === undefined))) return this.#leave();
    if (status < 300) return this.#pause(leastPauseMs);
    this.#told = undefined;
    if (this.#wanted === 'no') this.#wanted = 'soon';
    this.#pause(Math.min(Math.max(leastPauseMs, retryAfterMs!), retryLimitMs));
  }

  #pause(forMs: number) {
    if (this.#wanted === 'at once') return this.#notify();
    this.#state = 'pausing';
    const over = () => {
      this.#state = 'quiet';
      if (this.#wanted !== 'no') this.#notify();
    };
    this.#cancelPause = this.#parts.core.clock.after(forMs, over, 'NOTIFY again');
  }

  #leave() {
    this.#cancelExpiry();
    this.#cancelPause();
    this.#state = 'gone';
    this.#parts.onGone();
  }
}
