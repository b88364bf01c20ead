/** REFER of ours: has the peer call somebody else, and hears from it how that goes (RFC 3515 §2.4). */
import type { Account } from '../account.ts';
import { addContact, type Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { eventOf } from '../event/event.ts';
import { Exchange } from '../exchange.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';

/** Nothing is heard any more after this: the peer has rung for longer than anybody lets ring. Milliseconds. */
const hearLimitMs = 180_000;
/** Longest fragment that is looked at, bytes: we read its first line. */
const fragmentLimit = 1_024;

export interface TransferringParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  /** Each status; from 200 on it was the last. */
  onStatus(status: number): void;
}

export class Transferring {
  readonly #parts: TransferringParts;
  #over = false;
  #cancelLimit = () => {};

  constructor(parts: TransferringParts) {
    this.#parts = parts;
  }

  start(target: string) {
    const { core, dialog, account } = this.#parts;
    const request = dialog.request('REFER');
    request.headers.add('Refer-To', `<${target}>`);
    if (account !== undefined) request.headers.add('Referred-By', `<${account.settings.aor}>`);
    this.#cancelLimit = core.clock.after(hearLimitMs, () => this.#tell(408), 'transfer');
    new Exchange(core, {
      request,
      nextHop: dialog.nextHop,
      account,
      nextSequence: () => dialog.nextSequence(),
      prepare: addContact(account),
      onResponse: ({ status }) => {
        if (status >= 300) this.#tell(status);
      },
      onFailure: () => this.#tell(408),
    }).start();
  }

  /** NOTIFY of the subscription that the REFER has made; it may come before the 202 (§2.4.4). */
  isFor(request: Request) {
    return request.method === 'NOTIFY' && eventOf(request).name === 'refer';
  }

  serve(transaction: ServerTransaction) {
    const { headers, body } = transaction.request;
    if (this.#over) return void transaction.respond(481);
    transaction.respond(200);
    const text = Buffer.from(body.subarray(0, fragmentLimit)).toString('latin1');
    const status = Number(/^SIP\/2\.0 ([1-6]\d\d)\b/.exec(text)?.[1] ?? 0);
    if (status >= 200) return this.#tell(status);
    // RFC 6665 §4.1.3: nothing more will come.
    if (/^terminated\b/i.test(headers.get('Subscription-State')?.trim() ?? '')) return this.#tell(408);
    if (status > 100) this.#parts.onStatus(status);
  }

  /** The call is over. */
  stop() {
    this.#over = true;
    this.#cancelLimit();
  }

  #tell(status: number) {
    if (this.#over) return;
    this.stop();
    this.#parts.onStatus(status);
  }
}
