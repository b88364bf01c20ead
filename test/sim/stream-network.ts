/** TCP and TLS of the virtual world: connections that are refused, swallowed, cut in pieces or broken as a test says. */
import { type Address, printAddress } from '../../firmware/lib/address.ts';
import type { Clock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import type { Random } from '../../firmware/lib/random.ts';
import type { Transport } from '../../firmware/sip/contracts.ts';
import { type Hop, isReliable, printHop } from '../../firmware/sip/hop.ts';
import { Connections } from '../../firmware/sip/transport/connections.ts';
import type { ByteStream, Connect, StreamEvents } from '../../firmware/sip/transport/stream.ts';
import type { LossyNetwork } from './lossy-network.ts';

/** One way, and the same for every byte. */
const DELAY_MS = 2;

type Accept = (remote: Hop, stream: ByteStream) => StreamEvents | undefined;

/** One side of a connection. */
class End implements ByteStream {
  other!: End;
  events: StreamEvents | undefined;
  waitingBytes = 0;
  over = false;
  readonly #network: StreamNetwork;

  constructor(network: StreamNetwork) {
    this.#network = network;
  }

  get localHost() {
    return this.#network.localHost;
  }

  write(bytes: Uint8Array) {
    if (this.over) return;
    if (!this.#network.reads) {
      this.waitingBytes += bytes.length;
      return;
    }
    for (const piece of this.#network.pieces(bytes)) {
      this.#network.later(() => this.other.over || this.other.events?.onBytes(piece));
    }
  }

  close() {
    if (this.over) return;
    this.over = true;
    this.#network.later(() => this.other.break());
  }

  break(why?: string) {
    if (this.over) return;
    this.over = true;
    this.events?.onClose(why);
  }
}

/** A peer that writes and reads bytes as a test says. */
export class RawEnd implements StreamEvents {
  text = '';
  closed = false;
  stream!: ByteStream;

  onOpen() {}

  onBytes(bytes: Uint8Array) {
    this.text += Buffer.from(bytes).toString('latin1');
  }

  onClose() {
    this.closed = true;
  }

  say(text: string) {
    this.stream.write(Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'latin1'));
  }
}

export class StreamNetwork {
  /** How each host that does not listen treats those who come. */
  readonly moods = new Map<string, 'refuses' | 'swallows'>();
  /** Connections that were asked for, `192.0.2.1 -> tcp 192.0.2.2:5060`, in order. */
  readonly asked: string[] = [];
  /** Sees what user agents send by it. */
  tap: ((bytes: Uint8Array, from: Hop, to: Hop) => void) | undefined;
  /** What each end says of its own address. */
  localHost: string | undefined;
  /** False: nobody takes bytes any more. */
  reads = true;
  /** Until then the link is down: what is on its way arrives after it, as TCP sees to it. */
  heldUntilMs = 0;
  readonly #clock: Clock;
  readonly #chance: Random | undefined;
  readonly #listeners = new Map<string, Accept>();
  readonly #ends = new Set<End>();
  #nextPort = 40_000;

  /** `chance` cuts what is written into pieces. */
  constructor(clock: Clock, chance?: Random) {
    this.#clock = clock;
    this.#chance = chance;
  }

  listen(at: Hop, accept: Accept) {
    this.#listeners.set(printHop(at), accept);
    return () => void this.#listeners.delete(printHop(at));
  }

  connect(host: string): Connect {
    return (to, events) => {
      this.asked.push(`${host} -> ${printHop(to)}`);
      const here = new End(this);
      const there = new End(this);
      here.other = there;
      there.other = here;
      here.events = events;
      const key = printHop(to);
      if (this.moods.get(key) === 'swallows') return here;
      this.later(() => {
        if (here.over) return;
        const from: Hop = { host, port: this.#nextPort++, ...(to.transport && { transport: to.transport }) };
        there.events = this.#listeners.get(key)?.(from, there);
        if (there.events === undefined) return here.break(`${printAddress(to)} refuses TCP connections`);
        for (const end of [here, there]) this.#ends.add(end);
        events.onOpen();
      });
      return here;
    };
  }

  /** A peer of flesh and blood opens a connection. */
  raw(host: string, to: Hop): RawEnd {
    const end = new RawEnd();
    end.stream = this.connect(host)(to, end);
    return end;
  }

  /** Every connection there is breaks. */
  breakAll() {
    for (const end of this.#ends) end.break('connection reset');
    this.#ends.clear();
  }

  /** UDP over `network`, TCP and TLS over this: what a user agent at `local` sends by. */
  host(local: Address, network: LossyNetwork, random: Random, clock = this.#clock) {
    let receive: (bytes: Uint8Array, from: Hop) => void = () => {};
    let onLost: (to: Hop) => void = () => {};
    const connections = new Connections(
      { clock, random, log: silentLog, connect: this.connect(local.host) },
      { onMessage: (bytes, from) => receive(bytes, from), onLost: to => onLost(to) },
    );
    const unlisten = (['tcp', 'tls'] as const).map(transport => {
      const port = transport === 'tls' ? local.port + 1 : local.port;
      return this.listen({ ...local, port, transport }, (remote, stream) => connections.accept(remote, stream));
    });
    const transport: Transport = {
      hasStreams: true,
      localFor: ({ transport: name }) =>
        name === 'tls'
          ? { ...local, port: local.port + 1, transport: name }
          : { ...local, ...(name && { transport: name }) },
      send: (bytes, to, onError = () => {}) => {
        if (!isReliable(to)) return network.send(bytes, local, to);
        this.tap?.(bytes, local, to);
        connections.send(bytes, to, onError);
      },
      keepAlive: (to, how) => connections.keepAlive(to, how),
    };
    return {
      transport,
      connections,
      attach(to: (bytes: Uint8Array, from: Hop) => void, lost: (to: Hop) => void) {
        receive = to;
        onLost = lost;
      },
      stop() {
        for (const stop of unlisten) stop();
        connections.stop();
      },
    };
  }

  later(task: () => void) {
    this.#clock.after(Math.max(DELAY_MS, this.heldUntilMs - this.#clock.now()), task, 'stream');
  }

  pieces(bytes: Uint8Array): Uint8Array[] {
    if (this.#chance === undefined) return [bytes];
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(this.#chance.next() * 200);
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }
}
