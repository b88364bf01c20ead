/**
 * Lets the control thread watch RTP and RTCP as they went over the network. It takes what has been seen in one piece, as
 * often as it likes; while it does not ask, nothing is kept and nothing allocated.
 */
import type { Address } from '../lib/address.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { MediaNetwork, PortHandlers, PortPair } from './network.ts';
import type { SeenPacket } from './protocol.ts';

/** Packets kept until they are taken: several calls for a second; further ones are counted and let go. */
export const KEPT_PACKETS = 512;
/** Whoever has not asked for so long watches no more. Milliseconds. */
export const WATCHED_MS = 2_000;

export class PacketTap {
  readonly #clock: Clock;
  readonly #wallClock: WallClock;
  #packets: SeenPacket[] = [];
  #missed = 0;
  #watched = false;
  #askedAtMs = 0;

  constructor(clock: Clock, wallClock: WallClock) {
    this.#clock = clock;
    this.#wallClock = wallClock;
  }

  /** What has gone by since the last call; from the first call on it is kept. */
  take(): { packets: SeenPacket[]; missed: number } {
    const taken = { packets: this.#packets, missed: this.#missed };
    this.#packets = [];
    this.#missed = 0;
    this.#watched = true;
    this.#askedAtMs = this.#clock.now();
    return taken;
  }

  /** The same network; what passes through it is seen. */
  on(network: MediaNetwork): MediaNetwork {
    return {
      poll: () => network.poll?.(),
      open: (host, handlers, done) => {
        // The ports are known before the first packet.
        const local = { rtp: { host, port: 0 }, rtcp: { host, port: 0 } };
        network.open(host, this.#hearing(local, handlers), pair => {
          if ('why' in pair) return done(pair);
          local.rtp.port = pair.rtpPort;
          local.rtcp.port = pair.rtcpPort;
          done(this.#speaking(local, pair));
        });
      },
    };
  }

  #hearing(local: { rtp: Address; rtcp: Address }, { onRtp, onRtcp }: PortHandlers): PortHandlers {
    return {
      onRtp: (bytes, from, arrivedMs) => {
        if (this.#watched) this.#keep('in', local.rtp, from, bytes, bytes.length);
        onRtp(bytes, from, arrivedMs);
      },
      onRtcp: (bytes, from) => {
        if (this.#watched) this.#keep('in', local.rtcp, from, bytes, bytes.length);
        onRtcp(bytes, from);
      },
    };
  }

  #speaking(local: { rtp: Address; rtcp: Address }, pair: PortPair): PortPair {
    return {
      rtpPort: pair.rtpPort,
      rtcpPort: pair.rtcpPort,
      sendRtp: (bytes, length, to) => {
        if (this.#watched) this.#keep('out', local.rtp, to, bytes, length);
        pair.sendRtp(bytes, length, to);
      },
      sendRtcp: (bytes, length, to) => {
        if (this.#watched) this.#keep('out', local.rtcp, to, bytes, length);
        pair.sendRtcp(bytes, length, to);
      },
      close: () => pair.close(),
    };
  }

  #keep(way: 'in' | 'out', local: Address, { host, port }: Address, bytes: Uint8Array, length: number) {
    if (this.#clock.now() - this.#askedAtMs > WATCHED_MS) {
      this.#watched = false;
      this.#packets = [];
      this.#missed = 0;
    } else if (this.#packets.length >= KEPT_PACKETS) this.#missed++;
    // A copy with a buffer of its own, which can be handed to the other thread.
    else {
      const copy = new Uint8Array(bytes.subarray(0, length));
      this.#packets.push({ atMs: this.#wallClock(), way, local: { ...local }, remote: { host, port }, bytes: copy });
    }
  }
}
