/** Who a request may ask for: the users and hosts of our accounts, and our own address as its sender sees it. */
import type { Account } from '../account.ts';
import type { Transport } from '../contracts.ts';
import type { Hop } from '../hop.ts';
import type { Ours } from './scanner.ts';

export function oursFor(accounts: readonly Account[], transport: Transport, source: Hop): Ours {
  return {
    users: accounts.flatMap(({ uri: { user } }) => (user === undefined ? [] : [user])),
    isOurHost: host => {
      const wanted = comparable(host);
      const names = accounts.flatMap(({ uri, publicAddress }) => [uri.host, publicAddress?.host ?? uri.host]);
      if (names.some(name => comparable(name) === wanted)) return true;
      // Without an account nobody has told us our name; an address we know.
      if (accounts.length === 0 && !isLiteral(host)) return true;
      return comparable(transport.localFor(source).host) === wanted;
    },
  };
}

const isLiteral = (host: string) => /^[\d.]+$/.test(host) || host.includes(':');

/** An IPv6 address has many spellings, and URL writes one of them. */
function comparable(host: string): string {
  if (!host.includes(':')) return host.toLowerCase();
  const literal = `http://[${host.replace(/^\[|\]$|%.*$/g, '')}]`;
  return URL.canParse(literal) ? new URL(literal).hostname : host.toLowerCase();
}
