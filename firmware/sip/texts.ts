/** MESSAGE of ours: a text to somebody, outside any call (RFC 3428). */
import type { Account } from './account.ts';
import type { Core } from './core.ts';
import { firstHop, makeRequest, newCallId } from './dialog/request.ts';
import type { TextOptions, TextResult } from './event/contracts.ts';
import { datagramLimitBytes, Exchange } from './exchange.ts';
import { fromOf, privacyOf } from './identity.ts';
import { printMessage } from './message/print.ts';
import { reasonPhrase } from './message/status.ts';

/** Texts on their way at one time; one more is refused. */
export const textLimit = 8;

export class Texts {
  readonly #core: Core;
  #waiting = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** `done` is called once, never before this returns. */
  send(account: Account | undefined, { target, text }: TextOptions, done: (result: TextResult) => void) {
    const refuse = (why: string) => void this.#core.clock.after(0, () => done({ sent: false, why }), 'text refused');
    if (this.#waiting >= textLimit) return refuse(`${textLimit} texts are on their way already`);
    const request = makeRequest({
      method: 'MESSAGE',
      uri: target,
      from: `${fromOf(account)};tag=${this.#core.random.token(8)}`,
      to: `<${target}>`,
      callId: newCallId(this.#core.random),
      sequence: 1,
      account,
      headers: privacyOf(account),
      body: { contentType: 'text/plain;charset=UTF-8', bytes: new TextEncoder().encode(text) },
    });
    // §8: whatever the way, it has to fit into a datagram.
    if (printMessage(request).length > datagramLimitBytes) return refuse(`longer than ${datagramLimitBytes} bytes`);
    let sequence = 1;
    this.#waiting++;
    const finish = (result: TextResult) => {
      this.#waiting--;
      done(result);
    };
    new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account,
      nextSequence: () => ++sequence,
      onResponse: ({ status, reason }) => {
        if (status >= 300) finish({ sent: false, status, why: reason || reasonPhrase(status) });
        else if (status >= 200) finish({ sent: true, status });
      },
      onFailure: why => finish({ sent: false, why }),
    }).start();
  }
}
