/** A re-INVITE of the peer: asked of the controller, answered, and followed to its ACK (RFC 3261 §14.2). */
import type { Account } from '../account.ts';
import type { CallHandler } from '../contracts.ts';
import { type Core, contactAt } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { AnsweredInvite } from './answered-invite.ts';

export interface PeerOfferUser {
  /** Answered and acknowledged, refused, or cancelled. */
  onDone(): void;
  /** Our 200 was never acknowledged. */
  onNoAck(): void;
}

export class PeerOffer {
  readonly #core: Core;
  readonly #dialog: Dialog;
  readonly #account: Account | undefined;
  readonly #transaction: ServerTransaction;
  readonly #handler: CallHandler;
  readonly #user: PeerOfferUser;
  #answered: AnsweredInvite | undefined;

  constructor(
    core: Core,
    dialog: Dialog,
    account: Account | undefined,
    transaction: ServerTransaction,
    handler: CallHandler,
    user: PeerOfferUser,
  ) {
    this.#core = core;
    this.#dialog = dialog;
    this.#account = account;
    this.#transaction = transaction;
    this.#handler = handler;
    this.#user = user;
  }

  start() {
    this.#transaction.onCancel = () => this.#finish(487);
    this.#handler.onOffer(bodyOf(this.#transaction.request), {
      accept: body => {
        if (this.#transaction.status >= 200) return;
        const local = this.#core.transport.localFor(this.#transaction.source);
        this.#dialog.refreshTarget(this.#transaction.request);
        const response = this.#transaction.respond(200, {
          headers: [
            ['Contact', contactAt(this.#account, local, this.#transaction.request)],
            ['Allow', this.#core.allow],
          ],
          body,
        });
        this.#answered = new AnsweredInvite(this.#core.clock, this.#transaction, response, () => this.#user.onNoAck());
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
