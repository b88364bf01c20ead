/** A re-INVITE of ours: a new offer inside a call, tried again where two cross (RFC 3261 §14.1). */
import type { Account } from '../account.ts';
import type { Body } from '../contracts.ts';
import { addContact, type Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { bodyOf, setBody } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';
import type { Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import { acknowledge } from './acknowledge.ts';

/** How often an offer is made again after 491 Request Pending. */
const glareLimit = 4;

export interface ReofferUser {
  /** False while an offer of the peer is open. */
  mayOffer(): boolean;
  /** It is over: the answer, or the refusal. */
  onResult(result: { body: Body } | { status: number; reason: string }): void;
  /** The peer has lost the dialog (481), or is not there any more (408, timeout): the call is over. */
  onGone(why: string): void;
}

export class Reoffer {
  readonly #core: Core;
  readonly #dialog: Dialog;
  readonly #account: Account | undefined;
  readonly #body: Body;
  /** True where we chose the Call-ID: that side waits longer, so that the other's offer goes first. */
  readonly #ownsCallId: boolean;
  readonly #user: ReofferUser;
  #crossed = 0;
  #answered = false;
  /** Our INVITE is on its way; false while a 491 is waited out, when the peer's offer may come. */
  isOpen = false;
  #stopped = false;
  #exchange: Exchange | undefined;
  #cancelRetry = () => {};

  constructor(
    core: Core,
    dialog: Dialog,
    account: Account | undefined,
    ownsCallId: boolean,
    body: Body,
    user: ReofferUser,
  ) {
    this.#core = core;
    this.#dialog = dialog;
    this.#account = account;
    this.#ownsCallId = ownsCallId;
    this.#body = body;
    this.#user = user;
  }

  start() {
    this.isOpen = true;
    const request = this.#dialog.request('INVITE');
    request.headers.add('Allow', this.#core.allow);
    setBody(request, this.#body);
    const exchange = new Exchange(this.#core, {
      request,
      nextHop: this.#dialog.nextHop,
      account: this.#account,
      nextSequence: () => this.#dialog.nextSequence(),
      prepare: addContact(this.#account),
      onResponse: response => this.#receive(response, exchange),
      onFailure: why => {
        if (!this.#stopped) this.#user.onGone(why);
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
    this.#exchange?.cancel();
    this.#cancelRetry();
  }

  #receive(response: Response, exchange: Exchange) {
    const { status, reason } = response;
    if (status < 200) return;
    if (status < 300) {
      const copy = this.#answered;
      this.#answered = true;
      if (!copy) this.#dialog.refreshTarget(response);
      acknowledge(this.#core, this.#dialog, exchange.request, { copy, account: this.#account });
      if (copy || this.#stopped) return;
      const body = bodyOf(response);
      this.#user.onResult(body === undefined ? { status: 488, reason: 'answer without body' } : { body });
    } else if (this.#stopped) return;
    else if (status === 491) this.#pending(reason);
    // §12.2.1.2: these two say that the dialog is no more.
    else if (status === 481 || status === 408) this.#user.onGone(`${status} ${reason}`);
    else this.#user.onResult({ status, reason });
  }

  /** An offer of the peer stands in the way. */
  #pending(reason = reasonPhrase(491)) {
    if (this.#crossed < glareLimit) this.#retry();
    else this.#user.onResult({ status: 491, reason });
  }

  /** §14.1: 2.1 to 4 s for the side that chose the Call-ID, 0 to 2 s for the other, in steps of 10 ms. */
  #retry() {
    this.isOpen = false;
    this.#crossed++;
    const [least, most] = this.#ownsCallId ? [210, 400] : [0, 200];
    const delayMs = 10 * (least + Math.floor(this.#core.random.next() * (most - least + 1)));
    const again = () => {
      if (this.#user.mayOffer()) this.start();
      else this.#pending();
    };
    this.#cancelRetry = this.#core.clock.after(delayMs, again, 're-INVITE after 491');
  }
}
