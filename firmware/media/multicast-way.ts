/** Which network port a group is joined and sent to on, in the words that sockets of its family take. */
import { isIPv6, SocketAddress } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** As `os.networkInterfaces` tells them. */
export type Interfaces = Readonly<
  Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[] | undefined>
>;

export interface MulticastWay {
  /** Names the port to the socket; undefined: where the machine's routes lead. */
  interface: string | undefined;
  /** An own address that packets may come from; undefined: any. */
  from: string | undefined;
}

/**
 * `interfaceHost`: an address of the port, of either family; undefined: none is named. IPv4 names a port by its address,
 * IPv6 by its name as a zone (RFC 4007 §11).
 */
export function multicastWay(family: 4 | 6, interfaceHost: string | undefined, interfaces: Interfaces): MulticastWay {
  if (interfaceHost === undefined) return { interface: undefined, from: undefined };
  const own = isIPv6(interfaceHost) === (family === 6) ? interfaceHost : undefined;
  const [name, addresses = []] = portOf(interfaceHost, interfaces) ?? [];
  if (family === 6) return { interface: name && `::%${name}`, from: own };
  const address = own ?? addresses.find(({ address }) => !isIPv6(address))?.address;
  return { interface: address, from: address };
}

/**
 * Where a group is bound. One of the link alone (RFC 4291 §2.7: `ff02::…`) is another one on each port, and needs its zone:
 * the port that is named, or the first that others can reach.
 */
export function bindAddress(group: string, interfaceHost: string | undefined, interfaces: Interfaces): string {
  if (!/^ff[0-9a-f][12]:/i.test(group) || group.includes('%')) return group;
  const [name] =
    (interfaceHost === undefined ? undefined : portOf(interfaceHost, interfaces)) ??
    Object.entries(interfaces).find(([, addresses = []]) =>
      addresses.some(({ address, internal }) => !internal && isIPv6(address)),
    ) ??
    [];
  return name === undefined ? group : `${group}%${name}`;
}

const portOf = (host: string, interfaces: Interfaces) =>
  Object.entries(interfaces).find(([, addresses = []]) => addresses.some(({ address }) => isSame(address, host)));

const isSame = (a: string, b: string) => isIPv6(a) === isIPv6(b) && plain(a) === plain(b);

/** IPv6 has many spellings. */
const plain = (host: string) =>
  isIPv6(host) ? new SocketAddress({ address: host.replace(/%.*/, ''), family: 'ipv6' }).address : host;
