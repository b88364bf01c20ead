/** What the user agent does beside calls and registrations: what is told to us, and who watches us. */
import type { Account } from '../account.ts';
import { Authority } from '../authority.ts';
import type { UserAgentHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import { Notices } from '../notices.ts';
import { stopAll } from '../stop-all.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { Notifier } from './notifier.ts';
import type { CallFacts, Facts } from './package.ts';
import { Publication } from './publication.ts';
import { Subscriber } from './subscriber.ts';

type Serve = (transaction: ServerTransaction, account: Account | undefined) => void;

export class Events {
  /** Method → who serves it outside any dialog. */
  readonly outside: ReadonlyMap<string, Serve>;
  readonly #accounts: readonly Account[];
  readonly #calls: () => readonly CallFacts[];
  readonly #notifier: Notifier | undefined;
  readonly subscriber: Subscriber;
  readonly #publications: readonly Publication[];
  #stopping = false;

  constructor(core: Core, accounts: readonly Account[], handler: UserAgentHandler, calls: () => readonly CallFacts[]) {
    this.#accounts = accounts;
    this.#calls = calls;
    this.subscriber = new Subscriber(core);
    this.#publications = accounts
      .filter(({ settings: { publish } }) => publish)
      .map(account => new Publication(core, account, () => this.#facts(account, account.settings.aor)));
    const outside = new Map<string, Serve>();
    if (handler.notices !== undefined) {
      const authority = new Authority(core, (source, account) => handler.notices!.trusts(source, account));
      const notices = new Notices(authority, handler.notices);
      const notifier = new Notifier(core, authority, {
        facts: (account, entity) => this.#facts(account, entity),
        onRefused: () => core.counters.refusedSubscriptions++,
      });
      outside.set('NOTIFY', (transaction, account) => notices.serveNotify(transaction, account));
      outside.set('MESSAGE', (transaction, account) => notices.serveMessage(transaction, account));
      outside.set('SUBSCRIBE', (transaction, account) => notifier.serve(transaction, account));
      this.#notifier = notifier;
    }
    this.outside = outside;
  }

  /** Subscriptions that others hold with us. */
  get watchers() {
    return this.#notifier?.size ?? 0;
  }

  /** Accounts that do not register are published at once. */
  start() {
    for (const account of this.#accounts) if (!account.settings.register) this.registered(account);
  }

  /** An account is registered, perhaps once more: `way` is it by the way that works. */
  registered(way: Account) {
    for (const publication of this.#publications) publication.registered(way);
    this.subscriber.registered(way);
  }

  /** Our address may be another one: who is to find us by a subscription hears of it. */
  networkChanged() {
    this.subscriber.refresh();
    this.#notifier?.refresh();
  }

  callsChanged() {
    this.#notifier?.changed();
    for (const publication of this.#publications) publication.changed();
  }

  /** `done` is called when everybody who knows of us has been told, or cannot be. */
  stop(done: () => void) {
    this.#stopping = true;
    const parts = [this.subscriber, ...this.#publications, ...(this.#notifier === undefined ? [] : [this.#notifier])];
    stopAll(parts, done);
  }

  /** Of an account its own calls; of the device, where no account is meant, all. */
  #facts(account: Account | undefined, entity: string): Facts {
    const id = account?.settings.id;
    const calls = this.#calls().filter(call => id === undefined || call.account === id);
    return { entity, calls, isOpen: !this.#stopping };
  }
}
