/**
 * Whether somebody keeps this machine's wall clock right, and how well: what chrony, ntpd or PTP have told the kernel,
 * by adjtimex(2) through koffi. Asking changes nothing and needs no rights.
 */
import { createRequire } from 'node:module';

// linux/timex.h: what adjtimex answers, and the head of struct timex, whose numbers are longs.
const TIME_ERROR = 5;
const TIMEX_BYTES = 208;
const LONG_BYTES = process.arch === 'arm' || process.arch === 'ia32' ? 4 : 8;
/** After `modes`, `offset` and `freq`. Microseconds. */
const MAXERROR_AT = 3 * LONG_BYTES;

/** How far the wall clock may be off, milliseconds; undefined where nobody keeps it right, or the kernel cannot be asked. */
export type WallClockError = () => number | undefined;

export function wallClockError(): WallClockError {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const adjtimex = koffi.load(null).func('int adjtimex(void *)');
    const timex = Buffer.alloc(TIMEX_BYTES);
    return () => {
      timex.fill(0);
      const state: number = adjtimex(timex);
      if (state < 0 || state === TIME_ERROR) return undefined;
      const maxErrorUs = LONG_BYTES === 8 ? Number(timex.readBigInt64LE(MAXERROR_AT)) : timex.readInt32LE(MAXERROR_AT);
      return maxErrorUs / 1000;
    };
  } catch {
    return () => undefined;
  }
}
