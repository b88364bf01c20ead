/** The dialogs of an INVITE that rings in several places: each provisional response with a new tag is one (§12.1). */
import type { Account } from '../account.ts';
import type { CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import { Dialog, type DialogIdentity, sameDialog, sequenceOf } from '../dialog/dialog.ts';
import { Exchange } from '../exchange.ts';
import { parseNumber } from '../message/grammar.ts';
import type { Request, Response } from '../message/message.ts';
import { tagOf } from '../transaction/matching.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { serveAside } from './aside.ts';
import { serveUpdate } from './update.ts';

/** Forks of one call that are told apart; more than this is a broken proxy. */
export const forkLimit = 16;

interface EarlyDialog {
  dialog: Dialog;
  /** RSeq of the last reliable response. */
  reliable: number | undefined;
  /** The answer to our offer has come reliably: each side may offer anew, by UPDATE. */
  isDescribed: boolean;
}

export class EarlyDialogs {
  readonly #core: Core;
  readonly #account: Account | undefined;
  readonly #handler: CallHandler;
  readonly #all = new Map<string, EarlyDialog>();

  constructor(core: Core, account: Account | undefined, handler: CallHandler) {
    this.#core = core;
    this.#account = account;
    this.#handler = handler;
  }

  /** Takes a response above 100. False where it is a copy, or has overtaken another, and must not be told. */
  take(response: Response, invite: Request): boolean {
    const tag = tagOf(response.headers.get('To'));
    if (tag === undefined) return true;
    const early = this.#all.get(tag) ?? this.#add(tag, Dialog.ofResponse(invite, response));
    const sequence = reliableSequence(response);
    if (sequence === undefined) return true;
    // One dialog too many to be known has none that could send a PRACK.
    if (early === undefined) return true;
    // RFC 3262 §4: in order, one by one; the peer sends again what is missing.
    if (early.reliable !== undefined && sequence !== early.reliable + 1) return false;
    early.reliable = sequence;
    early.isDescribed ||= response.body.length > 0;
    this.#acknowledge(early.dialog, sequence, invite);
    return true;
  }

  /** The dialog that a 2xx confirms: early until now, or new. */
  confirm(response: Response, invite: Request): Dialog {
    const early = this.#all.get(tagOf(response.headers.get('To')) ?? '');
    early?.dialog.confirm(response);
    return early?.dialog ?? Dialog.ofResponse(invite, response);
  }

  has(identity: DialogIdentity) {
    const early = this.#all.get(identity.remoteTag);
    return early !== undefined && sameDialog(early.dialog, identity);
  }

  /** None of them is served any more. What is known of them remains for forks that answer late. */
  close() {
    for (const { dialog } of this.#all.values()) this.#core.dialogs.remove(dialog);
  }

  #add(tag: string, dialog: Dialog): EarlyDialog | undefined {
    if (this.#all.size >= forkLimit) return undefined;
    const early: EarlyDialog = { dialog, reliable: undefined, isDescribed: false };
    this.#all.set(tag, early);
    this.#core.dialogs.add(dialog, { onRequest: transaction => this.#serve(early, transaction), onAck() {} });
    return early;
  }

  /** RFC 3262 §4. Its body would be the answer to an offer in the response; but the offer is always ours. */
  #acknowledge(dialog: Dialog, sequence: number, invite: Request) {
    const request = dialog.request('PRACK');
    request.headers.add('RAck', `${sequence} ${sequenceOf(invite)} INVITE`);
    const failed = (why: string) => this.#core.log.info('PRACK without success', { call: dialog.callId, why });
    new Exchange(this.#core, {
      request,
      nextHop: dialog.nextHop,
      account: this.#account,
      nextSequence: () => dialog.nextSequence(),
      onResponse: ({ status, reason }) => {
        if (status >= 300) failed(`${status} ${reason}`);
      },
      onFailure: failed,
    }).start();
  }

  /** A callee must not end an early dialog with BYE (§15); a new offer must wait for the answer to ours. */
  #serve({ dialog, isDescribed }: EarlyDialog, transaction: ServerTransaction) {
    const { method } = transaction.request;
    if (!dialog.accepts(transaction.request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (method === 'INVITE') transaction.respond(491);
    else if (method === 'BYE') transaction.respond(403, { reason: 'BYE in an early dialog' });
    else if (method === 'UPDATE') {
      serveUpdate(transaction, {
        core: this.#core,
        dialog,
        account: this.#account,
        timer: undefined,
        handler: this.#handler,
        open: isDescribed ? undefined : 'ours',
      });
    } else serveAside(this.#core, transaction, this.#handler);
  }
}

/** RSeq of a response that wants a PRACK; undefined for any other (RFC 3262 §4, §7.1). */
function reliableSequence({ headers }: Response): number | undefined {
  if (!headers.all('Require').some(tag => tag.toLowerCase() === '100rel')) return undefined;
  return parseNumber(headers.get('RSeq')?.trim() ?? '', 2 ** 32 - 1);
}
