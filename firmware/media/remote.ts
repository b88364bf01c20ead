/**
 * Where a stream's packets go and whose packets count: symmetric RTP (RFC 4961). The SDP announces an address; a peer
 * behind NAT sends from another. Who sends a few packets in a row is the peer, and from then on the only one.
 */
import { type Address, sameAddress } from '../lib/address.ts';

/** Valid packets in a row from one source that make it the peer. */
const LATCH_PACKETS = 3;
/** The peer may move (another network, a transferred call) after being silent for this long. */
const MOVE_AFTER_MS = 2000;

export class Remote {
  #rtp: Address;
  #rtcp: Address;
  #latched = false;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #candidate: Address | undefined;
  #inARow = 0;

  constructor(rtp: Address, rtcp: Address) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  /** Where RTP goes. */
  get rtp(): Address {
    return this.#rtp;
  }

  get rtcp(): Address {
    return this.#rtcp;
  }

  /** A valid RTP packet came from there. False: it is not from the peer, and counts for nothing. */
  heard(from: Address, nowMs: number): boolean {
    if (this.#latched) {
      if (sameAddress(from, this.#rtp)) {
        this.#heardAtMs = nowMs;
        this.#inARow = 0;
        return true;
      }
      if (nowMs - this.#heardAtMs < MOVE_AFTER_MS) return false;
    }
    if (this.#candidate === undefined || !sameAddress(from, this.#candidate)) {
      this.#candidate = { host: from.host, port: from.port };
      this.#inARow = 0;
    }
    if (++this.#inARow >= LATCH_PACKETS) this.#latch(this.#candidate, nowMs);
    // Until somebody is the peer, everybody may be: early media comes from where it pleases.
    return !this.#latched || sameAddress(from, this.#rtp);
  }

  #latch(source: Address, nowMs: number) {
    if (!sameAddress(source, this.#rtp)) {
      // The RTCP port is the next one until the peer's RTCP says otherwise (RFC 3550 §11).
      this.#rtcp = { host: source.host, port: source.port + 1 };
      this.#rtp = source;
    }
    this.#latched = true;
    this.#heardAtMs = nowMs;
    this.#candidate = undefined;
    this.#inARow = 0;
  }

  /** RTCP came from there. False: not from the peer's host. */
  heardRtcp(from: Address): boolean {
    if (this.#latched && from.host !== this.#rtp.host) return false;
    if (this.#latched && !sameAddress(from, this.#rtcp)) this.#rtcp = { host: from.host, port: from.port };
    return true;
  }
}
