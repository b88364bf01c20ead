/** Who may page: some networks, or everybody. */
import { Networks } from '../lib/networks.ts';

export class Sources {
  readonly #allowed: Networks | undefined;
  /** The last that was asked about: a page asks for the same one at each packet. */
  #lastHost = '';
  #lastAnswer = false;

  /** None means everybody. */
  constructor(networks: readonly string[]) {
    if (networks.length > 0) this.#allowed = new Networks(networks);
  }

  allow(host: string): boolean {
    if (this.#allowed === undefined) return true;
    if (host !== this.#lastHost) {
      this.#lastHost = host;
      this.#lastAnswer = this.#allowed.has(host);
    }
    return this.#lastAnswer;
  }
}
