/** Answers of servers that were silent too long: the call went elsewhere, so each is acknowledged and ended at once. */
import type { Account } from '../account.ts';
import type { Core } from '../core.ts';
import { Dialog } from '../dialog/dialog.ts';
import type { Request, Response } from '../message/message.ts';
import { tagOf } from '../transaction/matching.ts';
import { acknowledge } from './acknowledge.ts';
import { sendBye } from './bye.ts';
import { answeredElsewhere } from './reason.ts';

/** Answers of one call that are told apart; what comes above is left to the answerer's own patience. */
const answerLimit = 16;

export class LateAnswers {
  readonly #core: Core;
  readonly #tags = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** A 2xx to `invite`, which `account` sent, or a copy of one (RFC 3261 §13.2.2.4). */
  end(response: Response, invite: Request, account: Account | undefined) {
    const tag = tagOf(response.headers.get('To')) ?? '';
    const copy = this.#tags.has(tag);
    if (!copy && this.#tags.size >= answerLimit) return;
    this.#tags.add(tag);
    const dialog = Dialog.ofResponse(invite, response);
    acknowledge(this.#core, dialog, invite, { copy, account });
    if (!copy) sendBye(this.#core, dialog, account, () => {}, answeredElsewhere);
  }
}
