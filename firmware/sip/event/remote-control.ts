/** NOTIFY inside a call that belongs to no subscription: the PBX presses a key in our place (`talk`, `hold`). */
import type { CallHandler } from '../contracts.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { allowEvents, eventOf } from './event.ts';

export function serveRemoteControl(transaction: ServerTransaction, handler: CallHandler | undefined) {
  const { request, source } = transaction;
  const { name } = eventOf(request);
  const act = name === 'talk' ? handler?.onTalk : name === 'hold' ? handler?.onHold : undefined;
  if (act !== undefined) {
    transaction.respond(200);
    act.call(handler, source);
  }
  // RFC 6665 §4.1.3: the REFER that it tells of is over, or never was.
  else if (name === 'refer') transaction.respond(481);
  else transaction.respond(489, { headers: [['Allow-Events', allowEvents]] });
}
