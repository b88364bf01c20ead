/** One hop of a message: an address, and how it is reached there (RFC 3261 §18, RFC 3263). */
import { type Address, printAddress, sameAddress } from '../lib/address.ts';

export const transportNames = ['udp', 'tcp', 'tls'] as const;
export type TransportName = (typeof transportNames)[number];

export interface Hop extends Address {
  /** Absent: UDP. */
  transport?: TransportName;
  /** TLS: the domain that the peer's certificate must be for: the host of the URI, not what it resolved to (RFC 5922 §4). */
  domain?: string;
  /** The connection that a message came in on: what answers it goes back there while it lasts (RFC 3261 §18.2.2). */
  connection?: number;
  /** How many better places DNS names for the same service; absent: none (RFC 2782 priority, RFC 3403 order). */
  preference?: number;
  /** The address of ours that a datagram came in at, where we listen on several: what answers it leaves from there. */
  local?: string;
  /** Peers reach us over this connection (we registered by it): it is kept alive and its loss is told. */
  keep?: boolean;
}

/** Nothing is lost or overtakes on it: nothing is sent twice (RFC 3261 §17). */
export const isReliable = ({ transport }: Hop) => transport !== undefined && transport !== 'udp';

export const sameHop = (a: Hop, b: Hop) =>
  sameAddress(a, b) && (a.transport ?? 'udp') === (b.transport ?? 'udp') && a.domain === b.domain;

/** `192.0.2.1:5060`, `tcp 192.0.2.1:5060`. */
export const printHop = (hop: Hop) => (isReliable(hop) ? `${hop.transport} ${printAddress(hop)}` : printAddress(hop));

/** RFC 3261 §19.1.2 */
export const defaultPortOf = (transport: TransportName | undefined) => (transport === 'tls' ? 5061 : 5060);
