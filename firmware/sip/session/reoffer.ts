/**
 * A re-INVITE or UPDATE of ours inside a call: a new offer, or a sign of life; tried again where two cross
 * (RFC 3261 §14.1, RFC 3311 §5.3).
 */
import type { Account } from '../account.ts';
import type { Body } from '../contracts.ts';
import { addContact, type Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { bodyOf, setBody } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';
import { supported } from '../extensions.ts';
import { parseNumber } from '../message/grammar.ts';
import type { Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import { acknowledge } from './acknowledge.ts';
import type { SessionTimer } from './session-timer.ts';

/** How often it is tried again after 491 Request Pending, and the like. */
const glareLimit = 4;
/** The longest Retry-After of a 500 that is waited out. Seconds (§14.2 lets a peer choose 0 to 10). */
const retryAfterLimitS = 10;

export interface ReofferUser {
  /** False while an offer of the peer is open. */
  mayOffer(): boolean;
  /** It is over: the answer, or the refusal. No body: there was no offer. */
  onResult(result: { body: Body | undefined } | { status: number; reason: string }): void;
  /** The peer has lost the dialog (481), or is not there any more (408, timeout): the call is over. */
  onGone(why: string): void;
}

export interface ReofferParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  timer: SessionTimer;
  /** True where we chose the Call-ID: that side waits longer, so that the other's offer goes first. */
  ownsCallId: boolean;
  method: 'INVITE' | 'UPDATE';
  /** The offer; only an UPDATE may go without. */
  body: Body | undefined;
  /** It says where we are now: a peer that is not reached may be a moment later, and the call is not over. */
  repairs?: boolean;
}

export class Reoffer {
  readonly #parts: ReofferParts;
  readonly #user: ReofferUser;
  #tries = 0;
  #answered = false;
  #sent = false;
  #stopped = false;
  #exchange: Exchange | undefined;
  #cancelRetry = () => {};

  constructor(parts: ReofferParts, user: ReofferUser) {
    this.#parts = parts;
    this.#user = user;
  }

  get repairs() {
    return this.#parts.repairs === true;
  }

  /** Our offer is on its way; false while a 491 is waited out, when the peer's offer may come. */
  get isOpen() {
    return this.#sent && this.#parts.body !== undefined;
  }

  start() {
    const { core, dialog, account, timer, method, body } = this.#parts;
    this.#sent = true;
    const request = dialog.request(method);
    request.headers.add('Allow', core.allow);
    request.headers.add('Supported', supported);
    timer.ask(request);
    if (body !== undefined) setBody(request, body);
    const exchange = new Exchange(core, {
      request,
      nextHop: dialog.nextHop,
      account,
      nextSequence: () => dialog.nextSequence(),
      prepare: addContact(account),
      onResponse: response => this.#receive(response, exchange),
      onFailure: why => {
        if (!this.#stopped) this.#lost(503, why);
      },
    });
    this.#exchange = exchange;
    exchange.start();
  }

  /**
   * The call is over: no retry, no word any more. A 2xx on its way is still acknowledged; but the peer may have stopped
   * sending it with the BYE, and only a CANCEL ends the wait for it (§9.1).
   */
  stop() {
    this.#stopped = true;
    if (this.#parts.method === 'INVITE') this.#exchange?.cancel();
    this.#cancelRetry();
  }

  #receive(response: Response, exchange: Exchange) {
    const { status, reason, headers } = response;
    if (status < 200) return;
    if (status < 300) this.#accepted(response, exchange);
    else if (this.#stopped) return;
    else if (status === 491) this.#pending(491, reason, this.#glareMs());
    else if (status === 500 && headers.has('Retry-After')) {
      const seconds = parseNumber(headers.get('Retry-After')!.split(/[ (;]/, 1)[0]!, retryAfterLimitS);
      if (seconds === undefined) this.#user.onResult({ status, reason });
      else this.#pending(status, reason, 1000 * seconds);
    } else if (this.#parts.timer.mayAskAgain(response)) this.start();
    // §12.2.1.2: these two say that the dialog is no more.
    else if (status === 481) this.#user.onGone(`${status} ${reason}`);
    else if (status === 408) this.#lost(status, reason);
    else this.#user.onResult({ status, reason });
  }

  /** Departs from §12.2.1.2 for a repair: it is our own network that was away, and the sound decides. */
  #lost(status: number, reason: string) {
    if (this.#parts.repairs) this.#user.onResult({ status, reason });
    else this.#user.onGone(status === 503 ? reason : `${status} ${reason}`);
  }

  #accepted(response: Response, exchange: Exchange) {
    const { core, dialog, timer, method, body: offer } = this.#parts;
    const copy = this.#answered;
    this.#answered = true;
    if (!copy) dialog.refreshTarget(response);
    if (method === 'INVITE') acknowledge(core, dialog, exchange.request, { copy, account: this.#parts.account });
    if (copy || this.#stopped) return;
    timer.agreed(response);
    const body = bodyOf(response);
    if (offer === undefined) this.#user.onResult({ body: undefined });
    else this.#user.onResult(body === undefined ? { status: 488, reason: 'answer without body' } : { body });
  }

  /** Something of the peer stands in the way. */
  #pending(status: number, reason: string, delayMs: number) {
    this.#sent = false;
    if (this.#tries === glareLimit) return this.#user.onResult({ status, reason });
    this.#tries++;
    const again = () => {
      if (this.#parts.body === undefined || this.#user.mayOffer()) this.start();
      else this.#pending(491, reasonPhrase(491), this.#glareMs());
    };
    this.#cancelRetry = this.#parts.core.clock.after(delayMs, again, `${this.#parts.method} again`);
  }

  /** §14.1: 2.1 to 4 s for the side that chose the Call-ID, 0 to 2 s for the other, in steps of 10 ms. */
  #glareMs() {
    const [least, most] = this.#parts.ownsCallId ? [210, 400] : [0, 200];
    return 10 * (least + Math.floor(this.#parts.core.random.next() * (most - least + 1)));
  }
}
