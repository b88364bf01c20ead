/** Sends keys as INFO, one after the other: two on their way at once might overtake each other (RFC 6086 §9). */
import type { Account } from '../account.ts';
import type { Core } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { setBody } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';

/** Keys that wait; further ones are left out. */
export const waitingLimit = 32;

export class KeySender {
  readonly #core: Core;
  readonly #dialog: Dialog;
  readonly #account: Account | undefined;
  readonly #onGone: (why: string) => void;
  readonly #waiting: { key: string; durationMs: number }[] = [];
  #busy = false;
  #stopped = false;

  /** `onGone`: the peer has lost the dialog or is not there any more. */
  constructor(core: Core, dialog: Dialog, account: Account | undefined, onGone: (why: string) => void) {
    this.#core = core;
    this.#dialog = dialog;
    this.#account = account;
    this.#onGone = onGone;
  }

  send(key: string, durationMs: number) {
    if (this.#waiting.length >= waitingLimit) this.#core.log.warn('key left out', { call: this.#dialog.callId });
    else this.#waiting.push({ key, durationMs });
    if (!this.#busy) this.#next();
  }

  stop() {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  #next() {
    const pressed = this.#waiting.shift();
    this.#busy = pressed !== undefined;
    if (pressed === undefined) return;
    const request = this.#dialog.request('INFO');
    const text = `Signal=${pressed.key}\r\nDuration=${pressed.durationMs}\r\n`;
    setBody(request, { contentType: 'application/dtmf-relay', bytes: new TextEncoder().encode(text) });
    new Exchange(this.#core, {
      request,
      nextHop: this.#dialog.nextHop,
      account: this.#account,
      nextSequence: () => this.#dialog.nextSequence(),
      onResponse: ({ status, reason }) => {
        if (status < 200 || this.#stopped) return;
        // RFC 3261 §12.2.1.2: these two say that the dialog is no more.
        if (status === 481 || status === 408) return this.#onGone(`${status} ${reason}`);
        if (status >= 300) this.#core.log.info('key not taken', { call: this.#dialog.callId, status });
        this.#next();
      },
      onFailure: why => {
        if (!this.#stopped) this.#onGone(why);
      },
    }).start();
  }
}
