/** A call after its 2xx, where both sides are alike: BYE, re-INVITE, UPDATE and keys either way (RFC 3261 §14, §15). */
import type { Account } from '../account.ts';
import type { Body, Call, CallEnd, CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import { type Dialog, type DialogIdentity, sameDialog } from '../dialog/dialog.ts';
import type { DialogOwner } from '../dialog/table.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { serveAside } from './aside.ts';
import { sendBye } from './bye.ts';
import { KeySender } from './key-sender.ts';
import { PeerOffer } from './peer-offer.ts';
import { type Reason, reasonOf } from './reason.ts';
import { Referral } from './refer.ts';
import { Reoffer, type ReofferUser } from './reoffer.ts';
import { printReplaces } from './replaces.ts';
import { type SessionTimer, tooBrief } from './session-timer.ts';
import { Transferring } from './transferring.ts';
import { respondLater, serveUpdate } from './update.ts';

export interface EstablishedUser {
  handler(): CallHandler;
  /** True where we are the caller. */
  ownsCallId: boolean;
  /** The peer serves UPDATE. */
  takesUpdate: boolean;
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
  readonly #timer: SessionTimer;
  readonly #user: EstablishedUser;
  readonly #keys: KeySender;
  #over = false;
  /** We have hung up, and the peer is still told how the transfer went. */
  #byeWaits = false;
  #ours: Reoffer | undefined;
  /** A sign of life of ours; beside an offer, since it has none. */
  #refresh: Reoffer | undefined;
  #takesUpdate: boolean;
  #theirs: PeerOffer | undefined;
  #referral: Referral | undefined;
  #transferring: Transferring | undefined;

  constructor(core: Core, dialog: Dialog, account: Account | undefined, timer: SessionTimer, user: EstablishedUser) {
    this.dialog = dialog;
    this.#core = core;
    this.#account = account;
    this.#timer = timer;
    this.#user = user;
    this.#takesUpdate = user.takesUpdate;
    this.#keys = new KeySender(core, dialog, account, why => this.giveUp(why));
  }

  /** The session may now run out of time. Who finds the dialog's requests is left to the caller or callee. */
  start() {
    this.#timer.start({
      refresh: () => this.#refreshSession(),
      expire: () => this.giveUp('the session was not refreshed in time'),
    });
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
      } else if (this.#byeWaits) {
        this.#byeWaits = false;
        this.#referral?.stop();
        this.#quiet();
      }
    } else if (this.#over) transaction.respond(481);
    else if (request.method === 'INVITE') this.#offered(transaction);
    else if (request.method === 'REFER') this.#referred(transaction);
    else if (this.#transferring?.isFor(request)) this.#transferring.serve(transaction);
    else if (request.method === 'UPDATE') this.#updated(transaction);
    else serveAside(this.#core, transaction, this.#user.handler());
  }

  is(identity: DialogIdentity) {
    return sameDialog(this.dialog, identity);
  }

  onAck(ack: Request) {
    this.#theirs?.onAck(ack);
  }

  reoffer(body: Body, repairs = false) {
    if (this.#over) return;
    // The answer to the last repair would go to where we no longer are.
    if (repairs && this.#ours?.repairs) this.#ours.stop();
    const isFree = this.#ours === undefined || (repairs && this.#ours.repairs);
    const mayOffer = isFree && this.#theirs === undefined && this.#user.isConfirmed();
    if (mayOffer) this.#offer(body, () => {}, repairs);
    // RFC 3261 §14.1: not while another is open.
    else this.#user.handler().onReoffered({ status: 491, reason: 'another offer is open' });
  }

  sendKey(key: string, durationMs: number) {
    if (!this.#over) this.#keys.send(key, durationMs);
  }

  transfer(target: string, replacing: Call | undefined) {
    if (this.#over || this.#transferring !== undefined) {
      this.#core.log.warn('transfer ignored: another is under way', { call: this.dialog.callId });
      return;
    }
    const value = replacing?.replacesValue;
    this.#transferring = new Transferring({
      core: this.#core,
      dialog: this.dialog,
      account: this.#account,
      onStatus: status => {
        if (status >= 200) this.#transferring = undefined;
        this.#user.handler().onTransferred?.(status);
      },
    });
    this.#transferring.start(value === undefined ? target : `${target}?Replaces=${encodeURIComponent(value)}`);
  }

  /** RFC 3891 §6.1, as the peer sees it: `to-tag` is its own. */
  get replacesValue() {
    const { callId, localTag, remoteTag } = this.dialog;
    return printReplaces({ callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false });
  }

  /** Ends it with a BYE. */
  hangUp(reason?: Reason) {
    if (this.#over) return;
    const referral = this.#referral;
    this.#close();
    this.#byeWaits = true;
    const bye = () => {
      this.#byeWaits = false;
      sendBye(this.#core, this.dialog, this.#account, () => this.#quiet(), reason);
    };
    if (referral === undefined) bye();
    else referral.finish(bye);
  }

  /** Ends it with a BYE, because of something that went wrong. */
  giveUp(why: string) {
    if (this.#over) return;
    this.hangUp({ cause: 408, text: why });
    this.#user.onOver({ by: 'failure', why });
  }

  /** RFC 3311 §5.1 would have a re-INVITE for an offer in a confirmed dialog, since a person may have to be asked. */
  #offer(body: Body, onRefused: () => void, repairs = false) {
    const told: ReofferUser['onResult'] = result => {
      this.#ours = undefined;
      if ('status' in result) onRefused();
      if ('status' in result) this.#user.handler().onReoffered(result);
      else if (result.body !== undefined) this.#user.handler().onReoffered({ body: result.body });
    };
    this.#ours = this.#request('INVITE', body, told, repairs);
    this.#ours.start();
  }

  /** RFC 4028 §7.4: by UPDATE without offer where the peer knows that, else by a re-INVITE. */
  #refreshSession() {
    if (this.#over || this.#refresh !== undefined) return;
    if (!this.#takesUpdate) {
      // An offer on its way is a refresh itself; one of theirs as well.
      if (this.#ours !== undefined || this.#theirs !== undefined || !this.#user.isConfirmed()) this.#timer.failed();
      else this.#offer(this.#user.handler().onRefresh(), () => this.#timer.failed());
      return;
    }
    this.#refresh = this.#request('UPDATE', undefined, result => {
      this.#refresh = undefined;
      if (!('status' in result)) return;
      // It said that it serves UPDATE, and does not: 405, 501 and the like.
      this.#takesUpdate = false;
      this.#timer.failed();
    });
    this.#refresh.start();
  }

  #request(method: 'INVITE' | 'UPDATE', body: Body | undefined, onResult: ReofferUser['onResult'], repairs = false) {
    return new Reoffer(
      {
        core: this.#core,
        dialog: this.dialog,
        account: this.#account,
        timer: this.#timer,
        ownsCallId: this.#user.ownsCallId,
        method,
        body,
        repairs,
      },
      { mayOffer: () => this.#theirs === undefined, onResult, onGone: why => this.giveUp(why) },
    );
  }

  #offered(transaction: ServerTransaction) {
    const brief = tooBrief(transaction.request);
    if (brief !== undefined) transaction.respond(422, { headers: brief });
    // §14.2: two offers must not be open at once.
    else if (this.#ours?.isOpen || !this.#user.isConfirmed()) transaction.respond(491);
    else if (this.#theirs !== undefined && !this.#theirs.isSettled) respondLater(this.#core, transaction);
    else {
      // §14.2 speaks of one without a final response. Who offers anew has no use for the last answer, which may have gone
      // to an address where the peer no longer is.
      this.#theirs?.stop();
      this.#theirs = new PeerOffer(
        {
          core: this.#core,
          dialog: this.dialog,
          account: this.#account,
          timer: this.#timer,
          transaction,
          handler: this.#user.handler(),
        },
        {
          onDone: () => {
            this.#theirs = undefined;
          },
          onNoAck: () => this.giveUp('re-INVITE answered, but no ACK came'),
        },
      );
      this.#theirs.start();
    }
  }

  #referred(transaction: ServerTransaction) {
    // One transfer at a time is all that a call can want.
    if (this.#referral !== undefined) return void transaction.respond(491);
    this.#referral = new Referral({
      core: this.#core,
      dialog: this.dialog,
      account: this.#account,
      handler: this.#user.handler(),
      transaction,
      onDone: () => {
        this.#referral = undefined;
      },
    });
    this.#referral.start();
  }

  #updated(transaction: ServerTransaction) {
    const ours = this.#ours?.isOpen || this.#theirs?.offersOurs || !this.#user.isConfirmed();
    serveUpdate(transaction, {
      core: this.#core,
      dialog: this.dialog,
      account: this.#account,
      timer: this.#timer,
      handler: this.#user.handler(),
      open: ours ? 'ours' : this.#theirs === undefined ? undefined : 'theirs',
    });
  }

  #end(end: CallEnd) {
    this.#referral?.stop();
    this.#close();
    this.#user.onOver(end);
  }

  #close() {
    this.#over = true;
    this.#timer.stop();
    this.#ours?.stop();
    this.#refresh?.stop();
    this.#theirs?.stop();
    this.#transferring?.stop();
    this.#keys.stop();
  }

  #quiet() {
    this.#core.dialogs.remove(this.dialog);
    this.#user.onQuiet();
  }
}
