/** Lets somebody watch what goes over the network: each SIP message, and RTP where that is wanted. Costs nothing while nobody watches. */
import type { Clock, WallClock } from '../lib/clock.ts';
import type { SeenPacket } from '../media/protocol.ts';
import type { Transport } from '../sip/contracts.ts';
import type { Hop } from '../sip/hop.ts';

export interface SeenMessage {
  /** Wall clock, milliseconds since 1970. */
  atMs: number;
  way: 'in' | 'out';
  /** Our address, as peers see it: over a connection that we opened its port is the one that we listen on. */
  local: Hop;
  remote: Hop;
  /** Valid during the call only. */
  bytes: Uint8Array;
}

export interface Watcher {
  onMessage(seen: SeenMessage): void;
  /** RTP and RTCP are wanted too. `missed`: packets that are not among them. */
  onPackets?(packets: readonly SeenPacket[], missed: number): void;
}

/** How often the media thread is asked what has gone by. Milliseconds. */
const ASK_MS = 100;

export class WireTap {
  readonly #clock: Clock;
  readonly #wallClock: WallClock;
  readonly #askForPackets: () => void;
  readonly #watchers = new Set<Watcher>();

  #cancel: (() => void) | undefined;

  /** `askForPackets` ends in `passed`. */
  constructor({ clock, wallClock }: { clock: Clock; wallClock: WallClock }, askForPackets: () => void) {
    this.#clock = clock;
    this.#wallClock = wallClock;
    this.#askForPackets = askForPackets;
  }

  /** From now on, until the returned function is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (watcher.onPackets !== undefined && this.#cancel === undefined) this.#ask();
    return () => this.#watchers.delete(watcher);
  }

  /** Nobody watches any more. */
  stop() {
    this.#watchers.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #ask() {
    this.#cancel = undefined;
    if (![...this.#watchers].some(({ onPackets }) => onPackets !== undefined)) return;
    this.#askForPackets();
    this.#cancel = this.#clock.after(ASK_MS, () => this.#ask(), 'packets watched');
  }

  /** What the media thread has seen. */
  passed(packets: readonly SeenPacket[], missed: number) {
    if (packets.length === 0 && missed === 0) return;
    for (const watcher of this.#watchers) watcher.onPackets?.(packets, missed);
  }

  /** What a transport sends is seen. */
  on(transport: Transport): Transport {
    // Everything that a transport has, named: what it gains must be handed on here too.
    const tapped: Required<Transport> = {
      hasStreams: transport.hasStreams ?? false,
      localFor: remote => transport.localFor(remote),
      send: (bytes, to, onError) => {
        if (this.#watchers.size > 0) this.#see('out', transport, to, bytes);
        transport.send(bytes, to, onError);
      },
      keepAlive: (to, how) => transport.keepAlive?.(to, how),
      networkChanged: gone => transport.networkChanged?.(gone),
    };
    return tapped;
  }

  /** What arrived at a transport is seen. */
  received(transport: Transport, from: Hop, bytes: Uint8Array) {
    if (this.#watchers.size > 0) this.#see('in', transport, from, bytes);
  }

  #see(way: 'in' | 'out', transport: Transport, remote: Hop, bytes: Uint8Array) {
    const seen = { atMs: this.#wallClock(), way, local: transport.localFor(remote), remote, bytes };
    for (const watcher of this.#watchers) watcher.onMessage(seen);
  }
}
