/** What the engine needs of a network: a pair of ports that datagrams come from and go to. Real UDP, or a simulated one. */
import type { Address } from '../lib/address.ts';
import type { IgmpSocket } from '../lib/igmp-socket.ts';

export interface MediaNetwork {
  /** Why the packets of the ports opened last are not marked for the network. */
  readonly unmarked?: string | undefined;
  /**
   * Takes an even port for RTP and the next for RTCP (RFC 3550 §11) on the local address `host`. Calls `done` once,
   * perhaps before it returns. `bytes` of the handlers are valid during the call only.
   */
  open(host: string, handlers: PortHandlers, done: (pair: PortPair | { why: string }) => void): void;
  /** A frame begins: what has come is handed over now. Absent: it is handed over when it comes. */
  poll?(): void;
}

export interface PortHandlers {
  /** `arrivedMs`: when it came, by the clock; absent: now. */
  onRtp(bytes: Uint8Array, from: Address, arrivedMs?: number): void;
  onRtcp(bytes: Uint8Array, from: Address): void;
}

export interface PortPair {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** Sends the first `length` bytes, which may change when the call returns. What cannot be sent is lost, as on the way. */
  sendRtp(bytes: Uint8Array, length: number, to: Address): void;
  sendRtcp(bytes: Uint8Array, length: number, to: Address): void;
  /** Nothing is received any more. */
  close(): void;
}

/** Multicast, for pages: what is sent to a group comes to everybody who has joined it. */
export interface MulticastNetwork {
  /**
   * Joins the group at `group.host` and takes its port, beside others on this machine. Calls `done` once, perhaps before
   * it returns. `bytes` of `onPacket` are valid during the call only.
   */
  join(
    group: Address,
    onPacket: (bytes: Uint8Array, from: Address) => void,
    done: (membership: Membership | { why: string }) => void,
  ): void;
  /** Takes a port to send to groups from. Calls `done` once, perhaps before it returns. */
  openSender(options: GroupSenderOptions, done: (sender: GroupSender | { why: string }) => void): void;
  /** IGMP as it arrives at this machine; `why` where it cannot be heard. Absent: the network has none. */
  openIgmp?(): IgmpSocket | { why: string };
}

export interface GroupSenderOptions {
  /** Of the groups that are sent to. */
  family: 4 | 6;
  /** How many routers may pass a packet on, and one: 1 stays in this network, 0 in this machine. */
  ttl: number;
  /** What packets are marked with, 0 to 63 (RFC 2474). 0: nothing. */
  dscp: number;
}

export interface GroupSender {
  /** That its datagrams come from. */
  readonly port: number;
  /** Datagrams that the machine did not take: no network leads there. */
  readonly unsent: number;
  /** Sends the first `length` bytes, which may change when the call returns. */
  send(bytes: Uint8Array, length: number, to: Address): void;
  close(): void;
}

export interface Membership {
  /** Says anew that we are a member. Answers why it could not. */
  renew(): string | undefined;
  /** Leaves; nothing is received any more. */
  close(): void;
}
