/** Where a SIP URI leads: RFC 3263 §4, by way of NAPTR, SRV and addresses, with a memory of who failed lately. */
import { isIP } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Resolve } from '../contracts.ts';
import { defaultPortOf, type Hop, printHop, sameHop, type TransportName, transportNames } from '../hop.ts';
import type { SipUri } from '../message/uri.ts';
import { DnsCache, type Patience, silence } from './cache.ts';
import type { Found, Naptr, Services, Srv } from './services.ts';
import { orderServers } from './srv-order.ts';

/** Hops of one URI that are tried at most. */
export const hopLimit = 8;
/**
 * How long a server that failed comes last; then the one that DNS prefers is the first again (RFC 3263 §4.3). Twice as
 * long after each further failure: to try a dead one costs whoever stands at the door seconds.
 */
export const avoidMs = 60_000;
const avoidLimitMs = 600_000;
/** Servers remembered as failed. */
export const avoidedLimit = 64;

/** Without an address nobody can be called. */
export const addressPatience: Patience = { limitMs: 5_000, askAgainMs: 5_000 };
/** Without NAPTR and SRV the addresses of the name itself are tried: not worth a long wait, nor one at each call. */
export const servicePatience: Patience = { limitMs: 2_000, askAgainMs: 60_000 };

export interface LocatorParts {
  clock: Clock;
  random: Random;
  resolve: Resolve;
  /** Absent: only addresses are asked for. */
  services: Services | undefined;
  /** TCP and TLS can be used. */
  hasStreams: boolean;
}

export type Located = (hops: readonly Hop[], why?: string) => void;

/** A service name and what is spoken there. */
interface Service {
  transport: TransportName;
  name: string;
}

/** RFC 3263 §4.1 */
const naptrServices: Readonly<Record<string, TransportName>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};
const srvPrefixes: Readonly<Record<TransportName, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };

export class Locator {
  readonly #parts: LocatorParts;
  readonly #cache: DnsCache;
  /** Printed hop → until when it comes last, and how long that was in all. */
  readonly #avoided = new Map<string, { untilMs: number; forMs: number }>();

  constructor(parts: LocatorParts) {
    this.#parts = parts;
    this.#cache = new DnsCache(parts.clock);
  }

  /** `preferred` counts where the URI names no transport. `done` is called once, for an IP literal before this returns. */
  locate(uri: SipUri, preferred: TransportName | undefined, done: Located) {
    const named = transportOf(uri);
    if (typeof named === 'object') return done([], named.why);
    const transport = named ?? (uri.scheme === 'sips' ? 'tls' : preferred);
    if (transport !== undefined && !this.#usable(transport)) return done([], 'only SIP over UDP can be reached');
    const { maddr } = uri.parameters;
    // §19.1.1 of RFC 3261: maddr overrides the host as the place to send to; the domain stays that of the URI.
    const target = (typeof maddr === 'string' ? maddr.replace(/^\[|\]$/g, '') : uri.host).toLowerCase();
    const domain = uri.host.toLowerCase();
    const finish: Located = (hops, why) => done(this.#inOrder(hops, domain), why);
    const plainly = () => {
      const chosen = transport ?? 'udp';
      this.#addresses(target, uri.port ?? defaultPortOf(chosen), chosen, finish);
    };
    // §4.2: a number and a named port leave nothing to ask.
    if (isIP(target) !== 0 || uri.port !== undefined || this.#parts.services === undefined) return plainly();
    if (isOfThisSite(target)) return plainly();
    this.#services(target, transport, services => {
      if (services.length === 0) return plainly();
      this.#servers(services, (hops, why) => {
        if (hops.length > 0 || why !== undefined) finish(hops, why);
        else plainly();
      });
    });
  }

  /** This hop did not answer, or answered 503: others come first for a while, or for as long as it asked. */
  avoid(hop: Hop, askedMs?: number) {
    const key = printHop(hop);
    const before = this.#avoided.get(key);
    const forMs = askedMs ?? (before === undefined ? avoidMs : 2 * before.forMs);
    this.#avoided.delete(key);
    this.#avoided.set(key, {
      untilMs: this.#parts.clock.now() + Math.min(forMs, avoidLimitMs),
      forMs: Math.min(Math.max(forMs, avoidMs), avoidLimitMs),
    });
    if (this.#avoided.size > avoidedLimit) this.#avoided.delete(this.#avoided.keys().next().value!);
  }

  /** It works. */
  trust(hop: Hop) {
    this.#avoided.delete(printHop(hop));
  }

  /** The network is another one: who could not be reached may be now, and names may lead elsewhere. */
  forgive() {
    this.#avoided.clear();
    this.#cache.doubt();
  }

  isAvoided(hop: Hop): boolean {
    return this.avoidedForMs(hop) > 0;
  }

  /** How long a server still comes last. */
  avoidedForMs(hop: Hop): number {
    return Math.max(0, (this.#avoided.get(printHop(hop))?.untilMs ?? 0) - this.#parts.clock.now());
  }

  #usable(transport: TransportName) {
    return transport === 'udp' || this.#parts.hasStreams;
  }

  #inOrder(hops: readonly Hop[], domain: string): Hop[] {
    const named = hops
      .filter((hop, index) => hops.findIndex(other => sameHop(other, hop)) === index)
      .slice(0, hopLimit)
      .map(hop => (hop.transport === 'tls' ? { ...hop, domain } : hop));
    return [...named.filter(hop => !this.isAvoided(hop)), ...named.filter(hop => this.isAvoided(hop))];
  }

  /** §4.1: which service names to ask for, in order. */
  #services(target: string, transport: TransportName | undefined, done: (services: readonly Service[]) => void) {
    if (transport !== undefined) return done([{ transport, name: `${srvPrefixes[transport]}.${target}` }]);
    this.#naptr(target, found => {
      // A DNS that is silent now will not speak of SRV either.
      if (found === silence) return done([]);
      const offered = ('records' in found ? found.records : [])
        .filter(({ flags, replacement }) => flags.toLowerCase() === 's' && replacement.length > 1)
        .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
        .map(({ service, replacement }) => ({ transport: naptrServices[service.toUpperCase()], name: replacement }))
        .filter((service): service is Service => service.transport !== undefined && this.#usable(service.transport));
      if (offered.length > 0) return done(offered);
      const usable = transportNames.filter(name => this.#usable(name));
      done(usable.map(name => ({ transport: name, name: `${srvPrefixes[name]}.${target}` })));
    });
  }

  /** The hops of the services in their order; none and no `why` where no such name exists. */
  #servers(services: readonly Service[], done: Located) {
    let decidedlyNot = false;
    gather(
      services,
      ({ transport, name }, found: (groups: readonly (readonly Hop[])[]) => void) =>
        this.#srv(name, answer => {
          const records = 'records' in answer ? answer.records : [];
          if (records.some(({ target }) => isNowhere(target))) decidedlyNot = true;
          const servers = orderServers(records.filter(isUsable), this.#parts.random);
          gather(
            servers,
            ({ target, port }, told: (hops: readonly Hop[]) => void) =>
              this.#addresses(target, port, transport, hops => told(hops)),
            lists => found(byPriority(servers, lists)),
          );
        }),
      lists => {
        const groups = lists.flat().filter(({ length }) => length > 0);
        const hops = groups.flatMap((group, preference) =>
          preference === 0 ? group : group.map(hop => ({ ...hop, preference })),
        );
        // RFC 2782: a target of "." says that the service is not there, whatever addresses the name has.
        if (hops.length === 0 && decidedlyNot) done([], `${services[0]!.name}: DNS says there is no such service`);
        else done(hops);
      },
    );
  }

  #naptr(name: string, done: (found: Found<Naptr>) => void) {
    const { services } = this.#parts;
    this.#cache.ask<Naptr>(
      `NAPTR ${name.toLowerCase()}`,
      servicePatience,
      answer => services!.naptr(name, answer),
      done,
    );
  }

  #srv(name: string, done: (found: Found<Srv>) => void) {
    const { services } = this.#parts;
    this.#cache.ask<Srv>(`SRV ${name.toLowerCase()}`, servicePatience, answer => services!.srv(name, answer), done);
  }

  #addresses(host: string, port: number, transport: TransportName, done: Located) {
    const hopTo = (address: string): Hop => ({
      host: address,
      port,
      ...(transport !== 'udp' && { transport }),
    });
    if (isIP(host) !== 0) return done([hopTo(host)]);
    let saidWhy: string | undefined;
    this.#cache.ask<Hop>(
      `A ${host.toLowerCase()} ${port}`,
      addressPatience,
      answer =>
        this.#parts.resolve(host, port, (addresses, why, ttlMs) => {
          saidWhy = why;
          if (addresses.length > 0 || ttlMs !== undefined) answer({ records: addresses, ttlMs: ttlMs ?? 0 });
          else answer({ why: why ?? `${host}: no address found` });
        }),
      found => {
        const addresses = 'records' in found ? found.records : [];
        // The resolver's port counts: a virtual world may keep its hosts elsewhere.
        const hops = addresses.map(address => ({ ...hopTo(address.host), port: address.port }));
        const why = saidWhy ?? ('why' in found ? `${host}: ${found.why}` : `${host}: no address found`);
        if (hops.length === 0) done([], why);
        else done(hops);
      },
    );
  }
}

/** The transport that the URI names: RFC 3261 §26.2.2 and RFC 5630 §3.1.4 for `sips`. */
function transportOf({ scheme, parameters }: SipUri): TransportName | undefined | { why: string } {
  if (parameters.transport === undefined) return undefined;
  const text = String(parameters.transport).toLowerCase();
  const known = transportNames.find(name => name === text);
  if (known === undefined) return { why: `transport ${text} is not supported` };
  if (scheme !== 'sips') return known;
  return known === 'udp' ? { why: 'sips cannot be reached over UDP' } : 'tls';
}

/** A name that DNS does not know anyway: it stands in a hosts file or in mDNS (RFC 6762), which have no SRV records of SIP. */
const isOfThisSite = (host: string) => !host.replace(/\.$/, '').includes('.') || /\.(?:local|localhost)\.?$/.test(host);

const isNowhere = (target: string) => target === '' || target === '.';

/** A record that makes sense: DNS lies now and then. */
const isUsable = ({ port, target, weight }: Srv) =>
  !isNowhere(target) && Number.isInteger(port) && port > 0 && port <= 65_535 && weight >= 0;

/** The hops of servers, which are in order, in a list for each priority. */
function byPriority(servers: readonly Srv[], hops: readonly (readonly Hop[])[]): Hop[][] {
  const priorities = [...new Set(servers.map(({ priority }) => priority))];
  return priorities.map(priority => hops.filter((_, index) => servers[index]!.priority === priority).flat());
}

/** Asks for each item at once, and tells all answers in the order of the items. */
function gather<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item, told: (answer: Answer) => void) => void,
  done: (answers: Answer[]) => void,
) {
  const answers: Answer[] = [];
  let missing = items.length;
  if (missing === 0) return done([]);
  items.forEach((item, index) => {
    ask(item, answer => {
      answers[index] = answer;
      missing--;
      if (missing === 0) done(answers);
    });
  });
}
