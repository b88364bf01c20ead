/** Where the registrar sees an account, which behind a NAT is not where we see ourselves (RFC 3581). */
import { type Address, sameAddress } from '../../lib/address.ts';
import type { Account } from '../account.ts';
import type { Hop } from '../hop.ts';
import type { Response } from '../message/message.ts';
import { seenAt } from '../registrar-answer.ts';

export class SeenAddress {
  readonly #account: Account;
  /** The last answer told us an address; the next one to do so is not believed. */
  #justLearnt = false;
  #isBehindNat = false;

  constructor(account: Account) {
    this.#account = account;
  }

  get isBehindNat() {
    return this.#isBehindNat;
  }

  /** What was learnt is not true any more; `seen`: where we are seen now, if that is known. */
  forget(seen?: Address) {
    this.#account.publicAddress = seen;
    this.#justLearnt = false;
  }

  /**
   * The registrar can reach us only where it sees us, so that becomes our Contact; where it keeps a flow it reaches us
   * by that. True where it is news. A NAT that gives each REGISTER another port is followed once per refresh and not
   * round in circles: what was learnt just now is not learnt again.
   */
  learn(response: Response, local: Hop): boolean {
    const account = this.#account;
    const seen = seenAt(response, local);
    if (seen === undefined) return false;
    this.#isBehindNat = !sameAddress(seen, local);
    if (account.hasFlow) return false;
    const isNews = !this.#justLearnt && !sameAddress(seen, account.publicAddress ?? local);
    this.#justLearnt = isNews;
    if (isNews) account.publicAddress = this.#isBehindNat ? seen : undefined;
    return isNews;
  }
}
