/** Where a host name leads: address records through the system's resolver. SRV and NAPTR (RFC 3263) are not asked. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Resolve } from './contracts.ts';
import { defaultPort } from './transaction/reply.ts';

/** An IP literal is answered before this returns; a name later, even where it is the same machine. */
export const systemResolve: Resolve = (host, port = defaultPort, done) => {
  if (isIP(host) !== 0) {
    done([{ host, port }]);
    return;
  }
  lookup(host, { all: true, order: 'ipv4first' }, (error, found) => {
    if (error === null) done(found.map(({ address }) => ({ host: address, port })));
    else done([], error.code === 'ENOTFOUND' ? `no such host: ${host}` : `${host}: name not resolved (${error.code})`);
  });
};
