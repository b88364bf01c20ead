/** Accounts whose callers must know a password: a call that comes straight to the device is challenged (RFC 3261 §22.2). */
import type { Account } from './account.ts';
import type { Party } from './contracts.ts';
import type { Core } from './core.ts';
import { Gate } from './digest/gate.ts';
import type { NoticeHandler } from './event/contracts.ts';
import { printUri } from './message/uri.ts';
import type { ServerTransaction } from './transaction/server.ts';

/** Let in: with who it is, where a password said so. */
export interface Admitted {
  caller: Party | undefined;
}

export class CallerGate {
  readonly #gates = new Map<Account, Gate>();
  readonly #trusts: NoticeHandler['trusts'];

  constructor(core: Core, accounts: readonly Account[], trusts: NoticeHandler['trusts']) {
    this.#trusts = trusts;
    for (const account of accounts) {
      const { callers = [] } = account.settings;
      const passwords = new Map(callers.map(({ username, password }) => [username, password]));
      if (passwords.size > 0) this.#gates.set(account, new Gate(account.uri.host, passwords, core));
    }
  }

  /** Undefined where the INVITE has been answered. Whoever names no account of ours is asked as well, or could walk round. */
  admit(transaction: ServerTransaction, called: Account | undefined): Admitted | undefined {
    const account = called ?? this.#gates.keys().next().value;
    const gate = account && this.#gates.get(account);
    if (gate === undefined || account === undefined) return { caller: undefined };
    const { id, challengeServer = false } = account.settings;
    // The server has asked the caller for a password itself, and could answer no challenge (RFC 3261 §22.3).
    if (!challengeServer && this.#trusts(transaction.source, id)) return { caller: undefined };
    const user = gate.admit(transaction);
    if (user === undefined) return undefined;
    return { caller: { uri: printUri({ ...account.uri, user, password: undefined, parameters: {} }) } };
  }
}
