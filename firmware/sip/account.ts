/** An account at work: how its requests are addressed, and what has been learnt about it. */
import type { Address } from '../lib/address.ts';
import type { Random } from '../lib/random.ts';
import type { AccountSettings } from './contracts.ts';
import { Credentials } from './credentials.ts';
import { noParameters } from './message/grammar.ts';
import { isMalformed } from './message/message.ts';
import { parseNameAddress, printNameAddress } from './message/name-addr.ts';
import { parseUri, printUri, type SipUri } from './message/uri.ts';

export class Account {
  readonly settings: AccountSettings;
  readonly uri: SipUri;
  readonly credentials: Credentials | undefined;
  /** How the registrar sees us, where that is not how we see ourselves: behind a NAT (RFC 3581). */
  publicAddress: Address | undefined;

  /** Throws for an `aor` that is not a SIP URI: the configuration has been checked before. */
  constructor(settings: AccountSettings, random: Random) {
    this.settings = settings;
    this.uri = assertUri(settings.aor);
    this.credentials =
      settings.password === undefined
        ? undefined
        : new Credentials(settings.username ?? this.uri.user ?? '', settings.password, random);
  }

  /** The From value of our requests, without tag. */
  get from(): string {
    return printNameAddress({ displayName: this.settings.displayName, uri: this.settings.aor, parameters: {} });
  }

  /** The URI that others reach us at, seen from our address `local`. */
  contact(local: Address): string {
    return contactUri(this.uri.user, this.publicAddress ?? local);
  }

  /** The Request-URI of REGISTER: a domain, without user (RFC 3261 §10.2). */
  get registrar(): string {
    const { registrar } = this.settings;
    return registrar ?? printUri({ ...this.uri, user: undefined, password: undefined, parameters: {} });
  }

  /** §8.1.2: the preloaded route of requests outside a dialog; inside one its route set rules. */
  get route(): string | undefined {
    const { outboundProxy } = this.settings;
    if (outboundProxy === undefined) return undefined;
    const uri = assertUri(outboundProxy);
    return `<${printUri({ ...uri, parameters: { ...uri.parameters, lr: true } })}>`;
  }
}

export const contactUri = (user: string | undefined, { host, port }: Address) =>
  printUri({ scheme: 'sip', user, host, port, parameters: noParameters(), headers: undefined });

/** The account that a request is meant for: by address of record in To, else by the user of the Request-URI. */
export function accountFor(accounts: readonly Account[], requestUser: string | undefined, to: string | undefined) {
  const party = parseNameAddress(to ?? '');
  const toUri = isMalformed(party) ? party : parseUri(party.uri);
  const wanted = isMalformed(toUri) ? undefined : toUri;
  return (
    accounts.find(({ uri }) => uri.user === wanted?.user && uri.host.toLowerCase() === wanted?.host.toLowerCase()) ??
    accounts.find(({ uri }) => uri.user !== undefined && uri.user === requestUser)
  );
}

function assertUri(text: string): SipUri {
  const uri = parseUri(text);
  if (isMalformed(uri)) throw new TypeError(`not a SIP URI: ${text}`);
  return uri;
}
