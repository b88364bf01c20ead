/**
 * Where a stream's packets go and whose packets count: symmetric RTP (RFC 4961). The SDP announces an address; a peer
 * behind NAT sends from another. Who sends a few packets in a row at the beginning is the peer, and from then on the only
 * one: a stranger who waits for a pause does not get the call. It moves to another port of its
 * host; to another host only with packets that prove whose they are, or after a new offer and answer.
 */
import { type Address, sameAddress } from '../lib/address.ts';

/** Valid packets in a row from one source that make it the peer. */
const LATCH_PACKETS = 3;
/** A peer that may move (another network, a transferred call) must have been silent for so long. */
const MOVE_AFTER_MS = 2000;

export class Remote {
  #rtp: Address;
  #rtcp: Address;
  #latched = false;
  /** There was a new offer and answer since. */
  #mayMove = false;
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

  /** The call was negotiated anew, with the same address: the peer may send from another from now on. */
  negotiated() {
    this.#mayMove = true;
  }

  /**
   * A valid RTP packet came from there. False: it is not from the peer, and counts for nothing. `isAuthentic`: it was
   * encrypted with the peer's key (SRTP).
   */
  heard(from: Address, nowMs: number, isAuthentic = false): boolean {
    if (this.#latched) {
      if (sameAddress(from, this.#rtp)) {
        this.#heardAtMs = nowMs;
        this.#inARow = 0;
        return true;
      }
      // A router that takes another port keeps its address.
      const mayMove = isAuthentic || this.#mayMove || from.host === this.#rtp.host;
      if (!mayMove) return false;
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
    this.#mayMove = false;
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
