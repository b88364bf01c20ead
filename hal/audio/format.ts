/** The shape of sound between a card and the firmware. */
import type { AudioCounters, AudioFormat } from '../contracts.ts';
import { HalError } from '../contracts.ts';

const RATES = [8000, 16000, 32000, 48000];
const FRAMES_PER_SECOND = 100;

/** Throws HalError `unsupported` for another rate than 8, 16, 32 or 48 kHz. */
export function audioFormat(rate: number): AudioFormat {
  if (!RATES.includes(rate)) throw new HalError('unsupported', `a rate of ${rate} Hz; there are ${RATES.join(', ')}`);
  return { rate, frameSamples: rate / FRAMES_PER_SECOND };
}

export const noCounts = (): AudioCounters => ({
  frames: 0,
  xruns: 0,
  reopened: 0,
  silentFrames: 0,
  driftSamples: 0,
  driftPpm: 0,
});
