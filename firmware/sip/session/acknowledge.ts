/** The ACK to a 2xx: the caller's own business, sent once more for every copy (RFC 3261 §13.2.2.4). */
import type { Account } from '../account.ts';
import type { Core } from '../core.ts';
import { type Dialog, sequenceOf } from '../dialog/dialog.ts';
import { isMalformed, type Request } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';

export function acknowledge(
  core: Core,
  dialog: Dialog,
  invite: Request,
  { copy, account }: { copy: boolean; account: Account | undefined },
) {
  const ack = dialog.request('ACK', sequenceOf(invite));
  // The credentials of the INVITE: nobody may challenge an ACK.
  for (const name of ['Authorization', 'Proxy-Authorization']) ack.headers.copyFrom(invite.headers, name);
  const uri = parseUri(dialog.nextHop);
  if (isMalformed(uri)) {
    core.log.warn('ACK not sent', { to: dialog.nextHop, why: uri.why });
    return;
  }
  core.locator.locate(uri, account?.transport, ([address], why) => {
    if (address === undefined) core.log.warn('ACK not sent', { to: dialog.nextHop, why });
    else core.transactions.sendAck(ack, address, copy);
  });
}
