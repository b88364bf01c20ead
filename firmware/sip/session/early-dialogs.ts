/** The dialogs of an INVITE that rings in several places: each provisional response with a new tag is one (§12.1). */
import type { Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { optionsReply } from '../options.ts';
import type { ServerTransaction } from '../transaction/server.ts';

/** Forks of one call that are told apart; more than this is a broken proxy. */
const forkLimit = 16;

export class EarlyDialogs {
  readonly #core: Core;
  readonly #dialogs = new Map<string, Dialog>();

  constructor(core: Core) {
    this.#core = core;
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

  /** A callee must not end an early dialog with BYE (§15), nor offer anew: what remains is OPTIONS. */
  #serve(dialog: Dialog, transaction: ServerTransaction) {
    const { method } = transaction.request;
    if (!dialog.accepts(transaction.request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (method === 'OPTIONS') transaction.respond(200, optionsReply(this.#core, transaction.source));
    else if (method === 'INVITE') transaction.respond(491);
    else if (method === 'BYE') transaction.respond(403, { reason: 'BYE in an early dialog' });
    else transaction.respond(405, { headers: [['Allow', this.#core.allow]] });
  }
}
