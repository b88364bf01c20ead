/** Requests inside a dialog that change nothing about it, at any moment of its life: OPTIONS, INFO and the like. */
import type { CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import { serveRemoteControl } from '../event/remote-control.ts';
import { optionsReply } from '../options.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { serveInfo } from './info.ts';

/** The last resort of a dialog's owner: what is none of these either is answered 405. */
export function serveAside(core: Core, transaction: ServerTransaction, handler: CallHandler | undefined) {
  const { method } = transaction.request;
  if (method === 'OPTIONS') transaction.respond(200, optionsReply(core, transaction.source));
  else if (method === 'INFO') serveInfo(transaction, handler);
  // Nothing waits for it any more (RFC 3262 §3).
  else if (method === 'PRACK') transaction.respond(481);
  else if (method === 'NOTIFY') serveRemoteControl(transaction, handler);
  // A dialog has one use (RFC 6665 §4.5.2): what a call does is told outside of it.
  else if (method === 'SUBSCRIBE') transaction.respond(403);
  // Nobody is transferred who is not talking.
  else if (method === 'REFER') transaction.respond(403);
  else transaction.respond(405, { headers: [['Allow', core.allow]] });
}
