/** The addresses whose word on who calls is believed: each account's own server, and those that are listed. */
import type { SipUserAgent } from '../sip/contracts.ts';
import type { TransportName } from '../sip/hop.ts';

export interface ServerOf {
  registrar?: string | undefined;
  outboundProxy?: string | undefined;
  uri: string;
  transport?: TransportName | undefined;
}

export class TrustedSources {
  readonly #locate: SipUserAgent['locate'];
  /** Account → addresses of its server, as last resolved. */
  readonly #servers = new Map<string, readonly string[]>();

  constructor(locate: SipUserAgent['locate']) {
    this.#locate = locate;
  }

  /** Looks an account's server up again; until the answer is here the last one counts. */
  learn(account: string, { outboundProxy, registrar, uri, transport }: ServerOf) {
    this.#locate(outboundProxy ?? registrar ?? uri, transport, addresses => {
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
    for (const addresses of this.#servers.values()) if (addresses.includes(source)) return true;
    return false;
  }

  /** An address of the account's server, or of any. */
  serverOf(account: string | undefined): string | undefined {
    const known = account === undefined ? this.#servers.values().next().value : this.#servers.get(account);
    return known?.[0];
  }
}
