/** Makes sound a little shorter without changing its pitch: one period of the voice is left out, and the seam blended. */
import { rms } from './frame.ts';
import { findPitch, type Pitch } from './pitch.ts';

/** Parts shorter than this by ear: 2.5 ms (400 Hz) to 15 ms (66 Hz), milliseconds. */
const MIN_CUT_MS = 2.5;
const MAX_CUT_MS = 15;
/** The seam is blended over at most so long, milliseconds. */
const MAX_SEAM_MS = 10;
/** Two neighbouring stretches must be at least this much alike, or the seam would be heard. */
const LIKENESS = 0.75;
/** Below this root mean square (−54 dBFS) nothing is heard: any stretch may go. */
const QUIET = 64;

const pitch: Pitch = { lag: 0, likeness: 0 };

/** Shortens the first `count` samples in place; returns how many are left: `count` where no cut would go unheard. */
export function shorten(samples: Int16Array, count: number, rate: number): number {
  const perMs = rate / 1000;
  const seam = Math.floor(Math.min(count / 2, MAX_SEAM_MS * perMs));
  const maxLag = Math.floor(Math.min(count - seam, MAX_CUT_MS * perMs));
  const minLag = Math.ceil(MIN_CUT_MS * perMs);
  if (maxLag < minLag) return count;
  const quiet = rms(samples, 0, count) < QUIET;
  if (quiet) pitch.lag = maxLag;
  else if (findPitch(samples, count, seam, minLag, maxLag, pitch).likeness < LIKENESS) return count;
  const { lag } = pitch;
  // … early part | blend of the stretch one lag earlier into the last one.
  const from = count - seam;
  for (let index = 0; index < seam; index++) {
    const late = (index + 1) / (seam + 1);
    const at = from - lag + index;
    samples[at] = Math.round(samples[at]! * (1 - late) + samples[from + index]! * late);
  }
  return count - lag;
}
