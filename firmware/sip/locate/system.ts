/** The machine's own DNS: addresses as every program here sees them, and the records that name SIP servers. */
import { lookup, Resolver } from 'node:dns';
import { isIP } from 'node:net';
import type { Resolve } from '../contracts.ts';
import { defaultPortOf } from '../hop.ts';
import type { Found, Services } from './services.ts';

/**
 * How long an answer is believed. The system's resolver, which also knows /etc/hosts and mDNS, and Node's SRV and
 * NAPTR queries tell no TTL; half a minute is less than what records of servers usually have.
 */
const believedMs = 30_000;

/** One query of the system's name servers, and how often each of them is asked. Nobody waits longer for the answer. */
const queryMs = 1_000;
const queryTries = 2;

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

/** DNS answered, and has no such record. */
const nothingThere = ['ENOTFOUND', 'ENODATA'];

function told<Raw, Record>(done: (found: Found<Record>) => void, read: (raw: Raw) => Record) {
  return (error: NodeJS.ErrnoException | null, records: Raw[]) => {
    if (error === null) done({ records: records.map(read), ttlMs: believedMs });
    else if (nothingThere.includes(error.code ?? '')) done({ records: [], ttlMs: believedMs });
    else done({ why: `DNS: ${error.code}` });
  };
}

/** A resolver is opened for each question: the machine's name servers may have changed since the last one (DHCP). */
export const servicesOf = (open: () => Resolver): Services => ({
  naptr: (name, done) =>
    open().resolveNaptr(
      name,
      told(done, ({ order, preference, flags, service, replacement }) => ({
        order,
        preference,
        flags,
        service,
        replacement,
      })),
    ),
  srv: (name, done) =>
    open().resolveSrv(
      name,
      told(done, ({ priority, weight, port, name: target }) => ({ priority, weight, port, target })),
    ),
});

export const systemServices = servicesOf(() => new Resolver({ timeout: queryMs, tries: queryTries }));
