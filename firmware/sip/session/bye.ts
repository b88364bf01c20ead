/** BYE: ends a dialog, whatever it is answered (RFC 3261 §15.1.1). */
import type { Account } from '../account.ts';
import type { Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { Exchange } from '../exchange.ts';
import { printReason, type Reason } from './reason.ts';

/** `done` is called once, when the peer has answered or has been given up. */
export function sendBye(core: Core, dialog: Dialog, account: Account | undefined, done: () => void, reason?: Reason) {
  const request = dialog.request('BYE');
  if (reason !== undefined) request.headers.add('Reason', printReason(reason));
  new Exchange(core, {
    request,
    nextHop: dialog.nextHop,
    account,
    nextSequence: () => dialog.nextSequence(),
    onResponse: ({ status }) => {
      if (status >= 200) done();
    },
    onFailure: why => {
      core.log.info('BYE without answer', { why });
      done();
    },
  }).start();
}
