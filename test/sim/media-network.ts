/** RTP without sockets: datagrams between engines on a virtual clock, some of them lost, late or twice. */
import type { Address } from '../../firmware/lib/address.ts';
import type { Clock } from '../../firmware/lib/clock.ts';
import { isMulticast } from '../../firmware/lib/networks.ts';
import type { Random } from '../../firmware/lib/random.ts';
import type { MediaNetwork, MulticastNetwork, PortHandlers, PortPair } from '../../firmware/media/network.ts';

export interface MediaNetworkFaults {
  /** Shares of 1. */
  loss?: number;
  duplication?: number;
  /** Each datagram takes between these, evenly spread: more than 20 ms apart reorders. Milliseconds. */
  delayMs?: [least: number, most: number];
}

export class SimulatedMediaNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pairs = new Set<{ rtp: Address; rtcp: Address; handlers: PortHandlers }>();
  readonly #ports = new Map<string, (bytes: Uint8Array, from: Address) => void>();
  #nextPort = 20_000;
  faults: MediaNetworkFaults;
  /** Every datagram that was sent, before its fate. */
  onSend: (bytes: Uint8Array, from: Address, to: Address) => void = () => {};

  constructor(clock: Clock, random: Random, faults: MediaNetworkFaults = {}) {
    this.#clock = clock;
    this.#random = random;
    this.faults = faults;
  }

  get openPorts(): number {
    return this.#ports.size;
  }

  /** The network as the host at this address has it. `translate`: a NAT that others see instead. */
  host(address: string, translate = (port: number): Address => ({ host: address, port })): MediaNetwork {
    return {
      open: (_host, handlers, done) => done(this.#pair(translate, handlers)),
    };
  }

  /** Who has joined which group: `host port` → hosts and their ears. */
  readonly #members = new Map<string, Set<{ host: string; take: (bytes: Uint8Array, from: Address) => void }>>();
  /** Groups that cannot be joined now, and why not. */
  readonly refusedGroups = new Map<string, string>();
  /** Groups whose packets get lost, as a firewall would have it. */
  readonly deafGroups = new Set<string>();
  readonly #igmpListeners = new Set<(packet: Uint8Array) => void>();

  /** A router asks who is a member of groups (IGMPv2 general query). */
  query(from: string) {
    const header = [
      0x46,
      0xc0,
      0,
      32,
      0,
      0,
      0,
      0,
      1,
      2,
      0,
      0,
      ...from.split('.').map(Number),
      224,
      0,
      0,
      1,
      0x94,
      4,
      0,
      0,
    ];
    for (const listener of this.#igmpListeners)
      listener(Uint8Array.from([...header, 0x11, 100, 0xee, 0x9b, 0, 0, 0, 0]));
  }

  /** How often hosts have said that they are members. */
  renewals = 0;

  /** The groups of this network as the host at this address hears them. */
  multicast(host: string): MulticastNetwork {
    return {
      join: (group, take, done) => {
        const why = this.refusedGroups.get(group.host);
        if (why !== undefined) return done({ why });
        const members = this.#members.get(key(group)) ?? new Set();
        this.#members.set(key(group), members);
        const member = { host, take };
        members.add(member);
        const renew = () => {
          this.renewals++;
          return this.refusedGroups.get(group.host);
        };
        done({ renew, close: () => members.delete(member) });
      },
      openIgmp: () => {
        const waiting: Uint8Array[] = [];
        const listener = (packet: Uint8Array) => waiting.push(packet);
        this.#igmpListeners.add(listener);
        return {
          read: into => {
            const packet = waiting.shift();
            if (packet !== undefined) into.set(packet);
            return packet?.length;
          },
          close: () => void this.#igmpListeners.delete(listener),
        };
      },
      openSender: (_options, done) => {
        const port = this.#nextPort++;
        const from = { host, port };
        done({ port, unsent: 0, send: (bytes, length, to) => this.send(bytes.slice(0, length), from, to), close() {} });
      },
    };
  }

  /** Hosts that have joined it. */
  membersOf(group: Address): string[] {
    return [...(this.#members.get(key(group)) ?? [])].map(({ host }) => host);
  }

  #pair(translate: (port: number) => Address, handlers: PortHandlers): PortPair {
    const rtpPort = this.#nextPort;
    this.#nextPort += 2;
    const rtp = { ...translate(rtpPort) };
    const rtcp = { ...translate(rtpPort + 1) };
    const pair = { rtp, rtcp, handlers };
    this.#pairs.add(pair);
    this.listen(rtp, handlers.onRtp);
    this.listen(rtcp, handlers.onRtcp);
    return {
      rtpPort,
      rtcpPort: rtpPort + 1,
      sendRtp: (bytes, length, to) => this.send(bytes.slice(0, length), rtp, to),
      sendRtcp: (bytes, length, to) => this.send(bytes.slice(0, length), rtcp, to),
      close: () => {
        this.#pairs.delete(pair);
        this.#ports.delete(key(rtp));
        this.#ports.delete(key(rtcp));
      },
    };
  }

  /** A host has another address from now on: its open ports too. */
  move(from: string, to: string) {
    for (const { rtp, rtcp, handlers } of this.#pairs) {
      if (rtp.host !== from) continue;
      this.#ports.delete(key(rtp));
      this.#ports.delete(key(rtcp));
      rtp.host = to;
      rtcp.host = to;
      this.listen(rtp, handlers.onRtp);
      this.listen(rtcp, handlers.onRtcp);
    }
  }

  /** Nothing comes from there or gets there. */
  readonly cutOff = new Set<string>();

  listen(at: Address, take: (bytes: Uint8Array, from: Address) => void) {
    this.#ports.set(key(at), take);
  }

  /** Every datagram to a group. */
  onPage: (bytes: Uint8Array, from: Address, to: Address) => void = () => {};

  send(bytes: Uint8Array, from: Address, to: Address) {
    if (isMulticast(to.host)) this.onPage(bytes, from, to);
    const members = this.#members.get(key(to));
    if (this.deafGroups.has(to.host)) return;
    if (members !== undefined) {
      // Each has a copy: what is encrypted is opened in place.
      for (const { host, take } of [...members]) this.#carry(bytes.slice(), from, { host, port: to.port }, () => take);
      return;
    }
    this.onSend(bytes, from, to);
    this.#carry(bytes, from, to, () => this.#ports.get(key(to)));
  }

  #carry(
    bytes: Uint8Array,
    from: Address,
    to: Address,
    ear: () => ((bytes: Uint8Array, from: Address) => void) | undefined,
  ) {
    const { loss = 0, duplication = 0, delayMs: [least, most] = [1, 1] } = this.faults;
    if (this.cutOff.has(from.host) || this.cutOff.has(to.host)) return;
    if (this.#random.next() < loss) return;
    const copies = this.#random.next() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = least + (most - least) * this.#random.next();
      const sender = { ...from };
      this.#clock.after(delayMs, () => ear()?.(bytes, { ...sender }), 'datagram');
    }
  }
}

const key = ({ host, port }: Address) => `${host} ${port}`;
