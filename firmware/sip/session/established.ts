/** A call after its 2xx, where both sides are alike: BYE and re-INVITE either way (RFC 3261 §14, §15). */
import type { Account } from '../account.ts';
import type { Body, CallEnd, CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { DialogOwner } from '../dialog/table.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { serveAside } from './aside.ts';
import { sendBye } from './bye.ts';
import { KeySender } from './key-sender.ts';
import { PeerOffer } from './peer-offer.ts';
import { reasonOf } from './reason.ts';
import { Reoffer } from './reoffer.ts';

/** What a re-INVITE that overtook another is told to wait at most. Seconds (§14.2). */
const retryAfterLimitS = 10;

export interface EstablishedUser {
  handler(): CallHandler;
  /** True where we are the caller. */
  ownsCallId: boolean;
  /** False while the 2xx that made the call waits for its ACK. */
  isConfirmed(): boolean;
  /** The call has ended, not by `hangUp`. */
  onOver(end: CallEnd): void;
  /** Nothing of the call is on the wire any more. Once, after `hangUp` or `onOver`. */
  onQuiet(): void;
}

export class Established implements DialogOwner {
  readonly dialog: Dialog;
  readonly #core: Core;
  readonly #account: Account | undefined;
  readonly #user: EstablishedUser;
  #over = false;
  #ours: Reoffer | undefined;
  #theirs: PeerOffer | undefined;
  readonly #keys: KeySender;

  constructor(core: Core, dialog: Dialog, account: Account | undefined, user: EstablishedUser) {
    this.dialog = dialog;
    this.#core = core;
    this.#account = account;
    this.#user = user;
    this.#keys = new KeySender(core, dialog, account, why => this.giveUp(why));
  }

  start() {
    this.#core.dialogs.add(this.dialog, this);
  }

  onRequest(transaction: ServerTransaction) {
    const { request } = transaction;
    if (!this.dialog.accepts(request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (request.method === 'BYE') {
      transaction.respond(200);
      if (!this.#over) {
        const reason = reasonOf(request);
        this.#end({ by: 'them', ...(reason === undefined ? {} : { reason }) });
        this.#quiet();
      }
    } else if (this.#over) transaction.respond(481);
    else if (request.method === 'INVITE') this.#offered(transaction);
    else serveAside(this.#core, transaction, this.#user.handler());
  }

  onAck(ack: Request) {
    this.#theirs?.onAck(ack);
  }

  reoffer(body: Body) {
    if (this.#over || this.#ours !== undefined || this.#theirs !== undefined || !this.#user.isConfirmed()) {
      this.#core.log.warn('reoffer ignored: another is not answered yet', { call: this.dialog.callId });
      return;
    }
    this.#ours = new Reoffer(this.#core, this.dialog, this.#account, this.#user.ownsCallId, body, {
      mayOffer: () => this.#theirs === undefined,
      onResult: result => {
        this.#ours = undefined;
        this.#user.handler().onReoffered(result);
      },
      onGone: why => this.giveUp(why),
    });
    this.#ours.start();
  }

  sendKey(key: string, durationMs: number) {
    if (!this.#over) this.#keys.send(key, durationMs);
  }

  /** Ends it with a BYE. */
  hangUp() {
    if (this.#over) return;
    this.#close();
    sendBye(this.#core, this.dialog, this.#account, () => this.#quiet());
  }

  /** Ends it with a BYE, because of something that went wrong. */
  giveUp(why: string) {
    if (this.#over) return;
    this.hangUp();
    this.#user.onOver({ by: 'failure', why });
  }

  #offered(transaction: ServerTransaction) {
    // §14.2: two offers must not be open at once.
    if (this.#ours?.isOpen || !this.#user.isConfirmed()) transaction.respond(491);
    else if (this.#theirs !== undefined) {
      const seconds = Math.floor(this.#core.random.next() * (retryAfterLimitS + 1));
      transaction.respond(500, { headers: [['Retry-After', String(seconds)]] });
    } else {
      this.#theirs = new PeerOffer(this.#core, this.dialog, this.#account, transaction, this.#user.handler(), {
        onDone: () => {
          this.#theirs = undefined;
        },
        onNoAck: () => this.giveUp('re-INVITE answered, but no ACK came'),
      });
      this.#theirs.start();
    }
  }

  #end(end: CallEnd) {
    this.#close();
    this.#user.onOver(end);
  }

  #close() {
    this.#over = true;
    this.#ours?.stop();
    this.#theirs?.stop();
    this.#keys.stop();
  }

  #quiet() {
    this.#core.dialogs.remove(this.dialog);
    this.#user.onQuiet();
  }
}
