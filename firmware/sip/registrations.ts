/** The registrations of all accounts, and by which way each account can be used now. */
import type { Account } from './account.ts';
import type { RegistrationReport, RegistrationState } from './contracts.ts';
import type { Core } from './core.ts';
import { AccountFlows } from './flow/account-flows.ts';
import type { Hop } from './hop.ts';
import { RegistrationOrder } from './registration-order.ts';
import { stopAll } from './stop-all.ts';

export class Registrations {
  readonly #accounts: readonly Account[];
  readonly #flows: readonly AccountFlows[];
  readonly #order: RegistrationOrder;

  constructor(core: Core, accounts: readonly Account[], onState: (account: Account, state: RegistrationState) => void) {
    this.#accounts = accounts;
    this.#flows = accounts
      .filter(({ settings: { register } }) => register)
      .map(account => {
        const flows: AccountFlows = new AccountFlows(core, account, state => {
          this.#order.changed(flows, state);
          onState(account, state);
        });
        return flows;
      });
    this.#order = new RegistrationOrder(this.#flows, core.settings.serialRegistration ?? false);
  }

  start() {
    this.#order.start();
  }

  stop(done: () => void) {
    stopAll(this.#flows, done);
  }

  refresh() {
    for (const flows of this.#flows) flows.refresh();
  }

  connectionLost(to: Hop) {
    for (const flows of this.#flows) flows.connectionLost(to);
  }

  networkChanged(isUp: boolean) {
    for (const flows of this.#flows) flows.networkChanged(isUp);
  }

  stateOf(id: string): RegistrationState {
    return this.#of(id)?.state ?? { is: 'unregistered' };
  }

  reportsOf(id: string): readonly RegistrationReport[] {
    return this.#of(id)?.reports ?? [];
  }

  /** Each account by the way that works. */
  get ways(): readonly Account[] {
    return this.#accounts.map(account => this.wayOf(account) ?? account);
  }

  /** By the way that a request came from `source`; absent: by the first that works. */
  wayOf(account: Account | undefined, source?: Hop): Account | undefined {
    return this.#flows.find(({ account: one }) => one === account)?.way(source) ?? account;
  }

  #of(id: string) {
    return this.#flows.find(({ account: { settings } }) => settings.id === id);
  }
}
