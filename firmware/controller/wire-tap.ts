/** Lets somebody watch what goes over the network: each SIP message as its bytes. Costs nothing while nobody watches. */
import type { WallClock } from '../lib/clock.ts';
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
}

export class WireTap {
  readonly #wallClock: WallClock;
  readonly #watchers = new Set<Watcher>();

  constructor(wallClock: WallClock) {
    this.#wallClock = wallClock;
  }

  /** From now on, until the returned function is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
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
