/** An account at work: how its requests are addressed, and what has been learnt about it. */
import type { Address } from '../lib/address.ts';
import type { Random } from '../lib/random.ts';
import { Credentials } from './credentials.ts';
import { type Hop, type TransportName, transportNames } from './hop.ts';
import { lowerCase, noParameters } from './message/grammar.ts';
import { isMalformed } from './message/message.ts';
import { parseNameAddress, printNameAddress } from './message/name-addr.ts';
import { parseUri, printUri, type SipUri } from './message/uri.ts';
import type { AccountSettings } from './settings.ts';

export class Account {
  readonly settings: AccountSettings;
  readonly uri: SipUri;
  readonly credentials: Credentials | undefined;
  /** How the registrar sees us, where that is not how we see ourselves: behind a NAT (RFC 3581). */
  publicAddress: Address | undefined;
  /** Where it is registered now: the best of its servers to place a call at. */
  server: Hop | undefined;
  /** The registrar keeps a flow to us: requests inside our dialogs come by it too (RFC 5626 §4.3). */
  hasFlow = false;
  /** It does not register, and its server was not there when it was asked last. */
  isUnreachable = false;
  /** Route values that the registrar wants our requests to take (RFC 3608). */
  serviceRoute: readonly string[] = [];

  /** Throws for an `aor` that is not a SIP URI: the configuration has been checked before. */
  constructor(settings: AccountSettings, random: Random) {
    this.settings = settings;
    this.uri = assertUri(settings.aor);
    const { password, username = this.uri.user ?? '', logins = [] } = settings;
    this.credentials =
      password === undefined && logins.length === 0 ? undefined : new Credentials(username, password, random, logins);
  }

  /** The same account by way of another proxy. What is learnt of one way is not known of the other. */
  through(outboundProxy: string, random: Random): Account {
    return new Account({ ...this.settings, outboundProxy }, random);
  }

  /** Its server knows of us: it is registered, or need not be. */
  get isKnown(): boolean {
    return !this.settings.register || this.server !== undefined;
  }

  /** A call by it has a chance now. */
  get isUsable(): boolean {
    return this.isKnown && !this.isUnreachable;
  }

  /** How servers are reached whose URI does not say. */
  get transport(): TransportName | undefined {
    const named = String(this.uri.parameters.transport).toLowerCase();
    return this.settings.transport ?? transportNames.find(name => name === named);
  }

  /** The From value of our requests, without tag. */
  get from(): string {
    return printNameAddress({ displayName: this.settings.displayName, uri: this.settings.aor, parameters: {} });
  }

  /** The URI that others reach us at, seen from our address `local`. `secure`: over TLS all the way. */
  contact(local: Hop, secure = false): string {
    return contactUri(this.uri.user, { ...local, ...this.publicAddress }, secure || this.uri.scheme === 'sips');
  }

  /** The same inside a dialog. */
  dialogContact(local: Hop, secure = false): string {
    return this.contact(local, secure) + (this.hasFlow ? ';ob' : '');
  }

  /** The Request-URI of REGISTER: a domain, without user (RFC 3261 §10.2). */
  get registrar(): string {
    const { registrar } = this.settings;
    return registrar ?? printUri({ ...this.uri, user: undefined, password: undefined, parameters: {} });
  }

  /** §8.1.2: the preloaded route of REGISTER. */
  get proxyRoute(): readonly string[] {
    const { outboundProxy } = this.settings;
    if (outboundProxy === undefined) return [];
    const uri = assertUri(outboundProxy);
    return [`<${printUri({ ...uri, parameters: { ...uri.parameters, lr: true } })}>`];
  }

  /** The preloaded route of other requests outside a dialog: our proxy, then the service route (RFC 3608 §6.1). */
  get routes(): readonly string[] {
    const proxy = this.proxyRoute;
    const [first, ...rest] = this.serviceRoute;
    // A proxy that names itself in the service route would see each request twice.
    const isProxy = first !== undefined && proxy[0] !== undefined && sameServer(first, proxy[0]);
    return isProxy ? [first, ...rest] : [...proxy, ...this.serviceRoute];
  }
}

/** `sip:front@192.0.2.1:5060`, `sip:front@192.0.2.1:5060;transport=tcp`. */
export function contactUri(user: string | undefined, { host, port, transport }: Hop, secure = false) {
  const parameters = noParameters();
  if (transport === 'tcp' || (transport === 'tls' && !secure)) parameters.transport = transport;
  return printUri({ scheme: secure ? 'sips' : 'sip', user, host, port, parameters, headers: undefined });
}

const sameHost = (a: SipUri, b: SipUri) => a.host === b.host || lowerCase(a.host) === lowerCase(b.host);

function sameServer(a: string, b: string): boolean {
  const [one, other] = [a, b].map(value => {
    const parsed = parseNameAddress(value);
    return isMalformed(parsed) ? parsed : parseUri(parsed.uri);
  });
  if (isMalformed(one!) || isMalformed(other!)) return false;
  return sameHost(one!, other!) && (one!.port ?? 5060) === (other!.port ?? 5060);
}

/** The account that a request is meant for: by address of record in To, else by the user of the Request-URI. */
export function accountFor(accounts: readonly Account[], requestUser: string | undefined, to: string | undefined) {
  const party = parseNameAddress(to ?? '');
  const toUri = isMalformed(party) ? party : parseUri(party.uri);
  const wanted = isMalformed(toUri) ? undefined : toUri;
  return (
    accounts.find(({ uri }) => wanted !== undefined && uri.user === wanted.user && sameHost(uri, wanted)) ??
    accounts.find(({ uri }) => uri.user !== undefined && uri.user === requestUser)
  );
}

function assertUri(text: string): SipUri {
  const uri = parseUri(text);
  if (isMalformed(uri)) throw new TypeError(`not a SIP URI: ${text}`);
  return uri;
}
