/** Asks the server of an account that does not register, now and then, whether it is there (OPTIONS, RFC 3261 §11). */
import type { Account } from './account.ts';
import type { Reachability } from './contracts.ts';
import type { Core } from './core.ts';
import { firstHop, makeRequest, newCallId } from './dialog/request.ts';
import { Exchange } from './exchange.ts';
import { reasonPhrase } from './message/status.ts';

/** Not together with every other device of the site: each pause is longer or shorter by up to so much. */
const spread = 0.1;
/** What a server says that serves nobody now. Any other answer shows that it is there, whatever it thinks of OPTIONS. */
const serving = (status: number) => status !== 503 && status !== 408;

export class Ping {
  state: Reachability | undefined;
  readonly account: Account;
  readonly #core: Core;
  readonly #onState: (state: Reachability) => void;
  readonly #pauseMs: number;
  #exchange: Exchange | undefined;
  #cancelTimer = () => {};

  constructor(core: Core, account: Account, pauseMs: number, onState: (state: Reachability) => void) {
    this.account = account;
    this.#core = core;
    this.#pauseMs = pauseMs;
    this.#onState = onState;
  }

  start() {
    const { account } = this;
    let sequence = 1;
    const request = makeRequest({
      method: 'OPTIONS',
      uri: account.registrar,
      from: `${account.from};tag=${this.#core.random.token(8)}`,
      to: `<${account.registrar}>`,
      callId: newCallId(this.#core.random),
      sequence,
      account,
    });
    this.#exchange = new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account,
      nextSequence: () => ++sequence,
      onResponse: ({ status, reason }) => {
        if (status < 200) return;
        const why = `${status} ${reason === '' ? reasonPhrase(status) : reason}`;
        this.#tell(serving(status) ? { is: 'reachable', status } : { is: 'unreachable', why });
      },
      onFailure: why => this.#tell({ is: 'unreachable', why }),
    }).start();
  }

  stop() {
    this.#exchange?.abandon();
    this.#cancelTimer();
  }

  #tell(state: Reachability) {
    const pauseMs = this.#pauseMs * (1 + spread * (2 * this.#core.random.next() - 1));
    this.#cancelTimer = this.#core.clock.after(pauseMs, () => this.start(), 'OPTIONS to the server');
    this.state = state;
    this.account.isUnreachable = state.is === 'unreachable';
    this.#onState(state);
  }
}

/** One for each account that is to be asked. */
export function pingsOf(core: Core, accounts: readonly Account[], onState: (id: string, state: Reachability) => void) {
  return accounts
    .filter(({ settings: { register, pingMs = 0 } }) => !register && pingMs > 0)
    .map(account => new Ping(core, account, account.settings.pingMs!, state => onState(account.settings.id, state)));
}
