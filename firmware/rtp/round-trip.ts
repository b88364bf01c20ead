/** How long a packet goes there and back: from the times in SR and RR (RFC 3550 §6.4.1), and for a peer that only listens (RFC 3611 §4.4, §4.5). */
import type { ReceiverDelay } from './extended-report.ts';
import { middle, type NtpClock } from './ntp.ts';

type NtpTime = ReturnType<NtpClock['at']>;

/** As RTCP has delays: units of 1/65536 s, at most what 32 bits hold. */
const inNtp = (ms: number) => Math.min(0xffffffff, Math.round((ms * 65536) / 1000));

export class RoundTrip {
  /** Who only listens says what time it is, and who hears that answers: all, or who sends sound. Undefined: nobody does. */
  receiverTimes: 'all' | 'sender' | undefined;
  /** The last one measured. */
  ms: number | undefined;
  readonly #ntp: NtpClock;
  /** Of the last SR that the peer sent: the middle of its time, 0: none yet, and when it came. */
  #lastSr = 0;
  #lastSrAtMs = 0;
  /** A time of ours was said, so that an answer may come. */
  #saidTime = false;
  /** What a listening peer said of its time, not yet answered, and when it came. */
  #theirs: { ssrc: number; lastRr: number; atMs: number } | undefined;

  constructor(ntp: NtpClock) {
    this.#ntp = ntp;
  }

  /** Another source is heard from now on. */
  forget() {
    this.#lastSr = 0;
  }

  heardSr(ntpSeconds: number, ntpFraction: number, nowMs: number) {
    this.#lastSr = middle(ntpSeconds, ntpFraction);
    this.#lastSrAtMs = nowMs;
  }

  /** For a reception report: what the peer needs to measure. */
  lastSr(nowMs: number): { lastSr: number; delaySinceLastSr: number } {
    return { lastSr: this.#lastSr, delaySinceLastSr: this.#lastSr === 0 ? 0 : inNtp(nowMs - this.#lastSrAtMs) };
  }

  /** RFC 3550 §6.4.1: A − LSR − DLSR, modulo 2³². A peer whose delay is nonsense makes it negative: no measurement. */
  measure(said: number, delay: number, nowMs: number) {
    if (said === 0) return;
    const { seconds, fraction } = this.#ntp.at(nowMs);
    const roundTrip = (middle(seconds, fraction) - said - delay) | 0;
    if (roundTrip >= 0) this.ms = (roundTrip * 1000) / 65536;
  }

  /** For an extended report: our time, unless an SR has it already; and the answer to theirs. `sends`: sound, of late. */
  say(nowMs: number, sends: boolean): { referenceTime?: NtpTime; delays?: ReceiverDelay[] } {
    const said: ReturnType<RoundTrip['say']> = {};
    if (this.receiverTimes !== undefined && !sends) {
      said.referenceTime = this.#ntp.at(nowMs);
      this.#saidTime = true;
    }
    const theirs = this.#theirs;
    if (theirs !== undefined && (this.receiverTimes === 'all' || (this.receiverTimes === 'sender' && sends))) {
      said.delays = [{ ssrc: theirs.ssrc, lastRr: theirs.lastRr, delaySinceLastRr: inNtp(nowMs - theirs.atMs) }];
      this.#theirs = undefined;
    }
    return said;
  }

  /** What the peer `ssrc` says of times in an extended report; `ours`: our own identifier. Unasked, it is passed over. */
  heard(
    { ssrc, referenceTime, delays }: { ssrc: number; referenceTime?: NtpTime; delays?: readonly ReceiverDelay[] },
    ours: number,
    nowMs: number,
  ) {
    if (this.receiverTimes === undefined) return;
    if (referenceTime !== undefined)
      this.#theirs = { ssrc, lastRr: middle(referenceTime.seconds, referenceTime.fraction), atMs: nowMs };
    const answer = delays?.find(delay => delay.ssrc === ours);
    if (answer !== undefined && this.#saidTime) this.measure(answer.lastRr, answer.delaySinceLastRr, nowMs);
  }
}
