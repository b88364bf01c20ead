/**
 * When each RTP time of a page is to be heard, such that all speakers come to the same answer without asking each other:
 * the instant at which it was sent, and a delay that is the same for all.
 *
 * The instant of sending is known in two ways. The quickest of the last packets was sent just before it came: on one
 * network that is the same for everybody to a fraction of a millisecond. And sender reports (RFC 3550 §6.4.1) tell it by
 * the sender's wall clock: used where the wall clock here is known to be right and does not contradict the packets.
 */
import { LeastTransit } from './least-transit.ts';

/** Looked back on for the quickest: 512 packets, ten seconds of 20 ms. Ten clocks of 100 ppm stray 1 ms meanwhile. */
const PACKET_PLACES = 16;
const PACKETS_A_PLACE = 32;
/** And so many reports, of one each second. */
const REPORTS = 8;
/**
 * A packet comes so much after it was sent, by the wall clocks at both ends: less than nothing is their error, more a
 * long way or a sender whose reports tell when it heard, not when it sent. Beyond these the packets alone decide: then a
 * speaker whose clock is right and one that has none still agree to so much. Milliseconds.
 */
const LEAST_WAY_MS = -5;
const LONGEST_WAY_MS = 10;

export class PlayoutClock {
  readonly #ticksPerMs: number;
  readonly #packets = new LeastTransit(PACKET_PLACES, PACKETS_A_PLACE);
  readonly #reports = new LeastTransit(REPORTS, 1);
  /** The instant of RTP time 0. */
  #zeroMs = 0;
  #follows: 'packets' | 'reports' = 'packets';
  readonly delayMs: number;

  /** Ticks per second of the RTP timestamp, and what is added to the instant of sending. */
  constructor(clockRate: number, delayMs: number) {
    this.#ticksPerMs = clockRate / 1000;
    this.delayMs = delayMs;
  }

  reset() {
    this.#packets.reset();
    this.#reports.reset();
    this.#follows = 'packets';
  }

  /** A packet. `ticks`: its RTP time, unwrapped. */
  arrived(ticks: number, nowMs: number) {
    this.#packets.add(nowMs - ticks / this.#ticksPerMs);
    this.#decide();
  }

  /** A sender report: `sentMs` is the time here at which the wall clock here showed what the report says of `ticks`. */
  reported(ticks: number, sentMs: number) {
    this.#reports.add(sentMs - ticks / this.#ticksPerMs);
    this.#decide();
  }

  /** The wall clock here is not right, or no more. */
  doubt() {
    this.#reports.reset();
    this.#decide();
  }

  #decide() {
    const byPackets = this.#packets.ms;
    const byReports = this.#reports.ms;
    const wayMs = byPackets - byReports;
    const agree = wayMs >= LEAST_WAY_MS && wayMs <= LONGEST_WAY_MS;
    this.#follows = agree ? 'reports' : 'packets';
    this.#zeroMs = agree ? byReports : byPackets;
  }

  get follows(): 'packets' | 'reports' {
    return this.#follows;
  }

  /** After the first packet. */
  playAtMs(ticks: number): number {
    return this.#zeroMs + this.delayMs + ticks / this.#ticksPerMs;
  }
}
