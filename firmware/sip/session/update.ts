/** An UPDATE of the peer: a sign of life, or a new offer that is answered at once (RFC 3311 §5.2). */
import type { Account } from '../account.ts';
import type { Body, CallHandler } from '../contracts.ts';
import { type Core, contactAt } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import { supported } from '../extensions.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { type SessionTimer, tooBrief } from './session-timer.ts';

/** What a request that overtook another is told to wait at most. Seconds (RFC 3261 §14.2, RFC 3311 §5.2). */
const retryAfterLimitS = 10;

export interface UpdateParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  timer: SessionTimer | undefined;
  handler: CallHandler | undefined;
  /** What stands in the way of a new offer: one of ours that waits for its answer, or one of theirs. */
  open: 'ours' | 'theirs' | undefined;
}

export function serveUpdate(transaction: ServerTransaction, parts: UpdateParts) {
  const { core, dialog, account, timer, handler, open } = parts;
  const { request } = transaction;
  const brief = tooBrief(request);
  if (brief !== undefined) return void transaction.respond(422, { headers: brief });
  const accept = (body?: Body) => {
    if (transaction.status >= 200) return;
    dialog.refreshTarget(request);
    const headers = [
      ['Contact', contactAt(account, core.transport.localFor(transaction.source), request)],
      ['Allow', core.allow],
      ['Supported', supported],
      ...(timer?.accept(request) ?? []),
    ] as const;
    transaction.respond(200, { headers, ...(body && { body }) });
  };
  const offer = bodyOf(request);
  if (offer === undefined) return accept();
  if (open === 'ours') return void transaction.respond(491);
  if (open === 'theirs') return void respondLater(core, transaction);
  handler?.onOffer(offer, {
    accept,
    refuse: (status, reason) => void transaction.respond(status, reason === undefined ? {} : { reason }),
  });
  // Nobody can be asked in the time that an UPDATE has.
  if (transaction.status < 200) transaction.respond(504);
}

/** 500 with a moment that chance chooses, so that two do not meet again. */
export function respondLater(core: Core, transaction: ServerTransaction) {
  const seconds = Math.floor(core.random.next() * (retryAfterLimitS + 1));
  transaction.respond(500, { headers: [['Retry-After', String(seconds)]] });
}
