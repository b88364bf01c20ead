/** Wall-clock time in RTCP: NTP time stamps (RFC 3550 §4) from a clock that never jumps. */
import type { WallClock } from '../lib/clock.ts';

/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_EPOCH_SECONDS = 2_208_988_800;

export class NtpClock {
  readonly #wallClock: WallClock;
  /** Unix time where `nowMs` is 0, read once: a wall clock that is set must not bend the reports (§4 allows it). */
  #offsetMs: number | undefined;

  constructor(wallClock: WallClock) {
    this.#wallClock = wallClock;
  }

  /** Reads the wall clock, the first time only. */
  anchor(nowMs: number): number {
    this.#offsetMs ??= this.#wallClock() - nowMs;
    return this.#offsetMs;
  }

  /** `nowMs` in seconds since 1900 and 2⁻³² s; modulo 2³² seconds, as NTP itself from 2036 on. */
  at(nowMs: number): { seconds: number; fraction: number } {
    const unixMs = this.anchor(nowMs) + nowMs;
    const unixSeconds = Math.floor(unixMs / 1000);
    return {
      seconds: (unixSeconds + NTP_EPOCH_SECONDS) % 2 ** 32,
      fraction: Math.floor(((unixMs / 1000 - unixSeconds) * 2 ** 32) % 2 ** 32),
    };
  }
}

/** Unix time of an NTP time stamp between 1970 and 2106. */
export const unixMsOf = (seconds: number, fraction: number): number =>
  (((seconds - NTP_EPOCH_SECONDS) >>> 0) + fraction / 2 ** 32) * 1000;

/** The middle 32 bits, which LSR has (§6.4.1): units of 1/65536 s. */
export const middle = (seconds: number, fraction: number): number =>
  (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
