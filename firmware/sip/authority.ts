/**
 * Who may tell us something, or ask about us, outside any call: an account's own server, who knows the account's
 * password, or one of its callers; nobody else.
 */
import type { Account } from './account.ts';
import type { Core } from './core.ts';
import { Gate } from './digest/gate.ts';
import type { NoticeHandler } from './event/contracts.ts';
import type { ServerTransaction } from './transaction/server.ts';

export class Authority {
  readonly #core: Core;
  readonly #trusts: NoticeHandler['trusts'];
  /** One for each account that has passwords. */
  readonly #gates = new Map<Account, Gate>();

  constructor(core: Core, trusts: NoticeHandler['trusts']) {
    this.#core = core;
    this.#trusts = trusts;
  }

  /** False where the request has been answered 401 or 403. */
  believes(transaction: ServerTransaction, account: Account | undefined): boolean {
    if (this.#trusts(transaction.source, account?.settings.id)) return true;
    const gate = account === undefined ? undefined : this.#gateOf(account);
    if (gate !== undefined) return gate.admit(transaction) !== undefined;
    transaction.respond(403);
    return false;
  }

  #gateOf(account: Account): Gate | undefined {
    const { password, username = account.uri.user, callers = [] } = account.settings;
    const passwords = new Map(callers.map(caller => [caller.username, caller.password]));
    if (password !== undefined && username !== undefined) passwords.set(username, password);
    if (passwords.size === 0) return undefined;
    let gate = this.#gates.get(account);
    if (gate === undefined) {
      gate = new Gate(account.uri.host, passwords, this.#core);
      this.#gates.set(account, gate);
    }
    return gate;
  }
}
