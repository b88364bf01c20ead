/** The addresses whose word on who calls is believed: each account's own server, and those that are listed. */
import type { Resolve } from '../sip/contracts.ts';
import { parseUri } from '../sip/message/uri.ts';

export interface ServerOf {
  registrar?: string | undefined;
  outboundProxy?: string | undefined;
  uri: string;
}

export class TrustedSources {
  readonly #resolve: Resolve;
  /** Account → addresses of its server, as last resolved. */
  readonly #servers = new Map<string, readonly string[]>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** Looks an account's server up again; until the answer is here the last one counts. */
  learn(account: string, { outboundProxy, registrar, uri }: ServerOf) {
    const parsed = parseUri(outboundProxy ?? registrar ?? uri);
    if ('kind' in parsed) return;
    this.#resolve(parsed.host, parsed.port, addresses => {
      if (addresses.length > 0)
        this.#servers.set(
          account,
          addresses.map(({ host }) => host),
        );
    });
  }

  isTrusted(source: string, account: string | undefined, listed: readonly string[]): boolean {
    if (listed.includes(source)) return true;
    if (account !== undefined) return this.#servers.get(account)?.includes(source) ?? false;
    return [...this.#servers.values()].some(addresses => addresses.includes(source));
  }

  /** An address of the account's server, or of any. */
  serverOf(account: string | undefined): string | undefined {
    const known = account === undefined ? this.#servers.values().next().value : this.#servers.get(account);
    return known?.[0];
  }
}
