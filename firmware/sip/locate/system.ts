/** The machine's own DNS: addresses as every program here sees them, and the records that name SIP servers. */
import { lookup, Resolver } from 'node:dns';
import { isIP } from 'node:net';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Resolve } from '../contracts.ts';
import { defaultPortOf } from '../hop.ts';
import { DnsClient } from './dns-client.ts';
import type { Services } from './services.ts';

/**
 * How long an address is believed. The system's resolver is asked, which also knows /etc/hosts, mDNS and the domain of
 * the site; it tells no TTL. Half a minute is less than what records of servers usually have.
 */
const believedMs = 30_000;

/** An IP literal is answered before this returns; a name later, even where it is the same machine. */
export const systemResolve: Resolve = (host, port = defaultPortOf('udp'), done) => {
  if (isIP(host) !== 0) {
    done([{ host, port }]);
    return;
  }
  lookup(host, { all: true, order: 'ipv4first' }, (error, found) => {
    const addresses = error === null ? found.map(({ address }) => ({ host: address, port })) : [];
    if (error === null) done(addresses, undefined, believedMs);
    else if (error.code === 'ENOTFOUND') done([], `no such host: ${host}`, believedMs);
    else done([], `${host}: name not resolved (${error.code})`);
  });
};

/** The name servers may have changed since the last question (DHCP): they are read anew for each. */
export const systemServices: Services = new DnsClient({
  clock: systemClock,
  random: systemRandom,
  servers: () => new Resolver().getServers(),
});
