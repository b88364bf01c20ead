/** Addresses in ranges, as people write them: networks, multicast groups. */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  const [host = '', bits, ...more] = text.split('/');
  const family = isIP(host);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

/** IPv4 224.0.0.0/4 (RFC 5771) and IPv6 ff00::/8 (RFC 4291 §2.7). */
export function isMulticast(host: string): boolean {
  if (isIP(host) === 6) return /^ff/i.test(host);
  const first = Number(host.split('.')[0]);
  return isIP(host) === 4 && first >= 224 && first <= 239;
}

/** A set of networks that `isNetwork`. */
export class Networks {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [host = '', bits] = network.split('/');
      const family = isIPv6(host) ? 'ipv6' : 'ipv4';
      this.#list.addSubnet(host, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  has(host: string): boolean {
    return isIP(host) !== 0 && this.#list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
  }
}
