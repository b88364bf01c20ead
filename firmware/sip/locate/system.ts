/** The machine's own DNS: addresses as every program here sees them, and the records that name SIP servers. */
import { lookup, resolveNaptr, resolveSrv } from 'node:dns';
import { isIP } from 'node:net';
import type { Resolve } from '../contracts.ts';
import { defaultPortOf } from '../hop.ts';
import type { Found, Services } from './services.ts';

/**
 * How long an answer is believed. The system's resolver, which also knows /etc/hosts and mDNS, and Node's SRV and
 * NAPTR queries tell no TTL; half a minute is less than what records of servers usually have.
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

/** DNS answered, and has no such record. */
const nothingThere = ['ENOTFOUND', 'ENODATA'];

function told<Raw, Record>(done: (found: Found<Record>) => void, read: (raw: Raw) => Record) {
  return (error: NodeJS.ErrnoException | null, records: Raw[]) => {
    if (error === null) done({ records: records.map(read), ttlMs: believedMs });
    else if (nothingThere.includes(error.code ?? '')) done({ records: [], ttlMs: believedMs });
    else done({ why: `DNS: ${error.code}` });
  };
}

export const systemServices: Services = {
  naptr: (name, done) =>
    resolveNaptr(
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
    resolveSrv(
      name,
      told(done, ({ priority, weight, port, name: target }) => ({ priority, weight, port, target })),
    ),
};
