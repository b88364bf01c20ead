/** A re-INVITE of the peer: asked of the controller, answered, and followed to its ACK (RFC 3261 §14.2). */
import type { Account } from '../account.ts';
import type { CallHandler } from '../contracts.ts';
import { type Core, contactAt } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import { supported } from '../extensions.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { AnsweredInvite } from './answered-invite.ts';
import type { SessionTimer } from './session-timer.ts';

export interface PeerOfferUser {
  /** Answered and acknowledged, refused, or cancelled. */
  onDone(): void;
  /** Our 200 was never acknowledged. */
  onNoAck(): void;
}

export interface PeerOfferParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  timer: SessionTimer;
  transaction: ServerTransaction;
  handler: CallHandler;
}

export class PeerOffer {
  readonly #parts: PeerOfferParts;
  readonly #transaction: ServerTransaction;
  readonly #handler: CallHandler;
  readonly #user: PeerOfferUser;
  #answered: AnsweredInvite | undefined;

  constructor(parts: PeerOfferParts, user: PeerOfferUser) {
    this.#parts = parts;
    this.#transaction = parts.transaction;
    this.#handler = parts.handler;
    this.#user = user;
  }

  /** A 2xx to the peer's own offer waits for its ACK: nothing more is to be agreed. */
  get isSettled() {
    return this.#answered !== undefined && !this.offersOurs;
  }

  /** The peer left the offer to us, and its answer, in the ACK, is not here yet. */
  get offersOurs() {
    return this.#answered !== undefined && bodyOf(this.#transaction.request) === undefined;
  }

  start() {
    this.#transaction.onCancel = () => this.#finish(487);
    this.#handler.onOffer(bodyOf(this.#transaction.request), {
      accept: body => {
        if (this.#transaction.status >= 200) return;
        const { core, dialog, account, timer } = this.#parts;
        const local = core.transport.localFor(this.#transaction.source);
        dialog.refreshTarget(this.#transaction.request);
        const response = this.#transaction.respond(200, {
          headers: [
            ['Contact', contactAt(account, local, this.#transaction.request)],
            ['Allow', core.allow],
            ['Supported', supported],
            ...timer.accept(this.#transaction.request),
          ],
          body,
        });
        this.#answered = new AnsweredInvite(core.clock, this.#transaction, response, () => this.#user.onNoAck());
        this.#answered.start();
      },
      refuse: (status, reason) => this.#finish(status, reason),
    });
  }

  onAck(ack: Request) {
    if (!this.#answered?.matches(ack)) return;
    this.#answered.stop();
    this.#user.onDone();
    // The peer left the offer to us: its answer comes with the ACK (§13.2.1).
    const body = bodyOf(ack);
    if (bodyOf(this.#transaction.request) === undefined && body !== undefined) this.#handler.onReoffered({ body });
  }

  /** The call is over (§15.1.2: what is unanswered is answered 487). */
  stop() {
    this.#answered?.stop();
    if (this.#transaction.status < 200) this.#transaction.respond(487);
  }

  #finish(status: number, reason?: string) {
    if (this.#transaction.status >= 200) return;
    this.#transaction.respond(status, reason === undefined ? {} : { reason });
    this.#user.onDone();
  }
}
