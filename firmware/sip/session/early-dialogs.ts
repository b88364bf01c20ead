/** The dialogs of an INVITE that rings in several places: each provisional response with a new tag is one (§12.1). */
import type { Account } from '../account.ts';
import type { CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { serveAside } from './aside.ts';
import { serveUpdate } from './update.ts';

/** Forks of one call that are told apart; more than this is a broken proxy. */
const forkLimit = 16;

export class EarlyDialogs {
  readonly #core: Core;
  readonly #account: Account | undefined;
  readonly #handler: CallHandler;
  readonly #dialogs = new Map<string, Dialog>();

  constructor(core: Core, account: Account | undefined, handler: CallHandler) {
    this.#core = core;
    this.#account = account;
    this.#handler = handler;
  }

  add(dialog: Dialog) {
    if (this.#dialogs.has(dialog.remoteTag) || this.#dialogs.size >= forkLimit) return;
    this.#dialogs.set(dialog.remoteTag, dialog);
    this.#core.dialogs.add(dialog, {
      onRequest: transaction => this.#serve(dialog, transaction),
      onAck() {},
    });
  }

  clear() {
    for (const dialog of this.#dialogs.values()) this.#core.dialogs.remove(dialog);
    this.#dialogs.clear();
  }

  /** A callee must not end an early dialog with BYE (§15), nor offer anew: what remains is OPTIONS and INFO. */
  #serve(dialog: Dialog, transaction: ServerTransaction) {
    const { method } = transaction.request;
    if (!dialog.accepts(transaction.request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (method === 'INVITE') transaction.respond(491);
    else if (method === 'BYE') transaction.respond(403, { reason: 'BYE in an early dialog' });
    else if (method === 'UPDATE') {
      // The offer of our INVITE is open.
      const { handler, core, account } = { handler: this.#handler, core: this.#core, account: this.#account };
      serveUpdate(transaction, { core, dialog, account, timer: undefined, handler, open: 'ours' });
    } else serveAside(this.#core, transaction, this.#handler);
  }
}
