/** Makes sound a little shorter or longer without changing its pitch: one period of the voice goes or comes twice. */
import { rms } from './frame.ts';
import { findPitch, type Pitch } from './pitch.ts';

/** Parts shorter than this by ear: 2.5 ms (400 Hz) to 15 ms (66 Hz), milliseconds. */
const MIN_PART_MS = 2.5;
const MAX_PART_MS = 15;
/** Where more is wanted soon, rather two periods of so much together than one. */
const LONG_PART_MS = 8;
/** The seam is blended over at most so long, milliseconds. Longer, and a packet of 20 ms has no room for a deep voice. */
const MAX_SEAM_MS = 7;
/** Two neighbouring stretches must be at least this much alike, or the seam would be heard. */
const LIKENESS = 0.75;
/** Below this root mean square (−54 dBFS) nothing is heard: any stretch may go. */
const QUIET = 64;

export interface Stretching {
  /** No more than this goes or comes, milliseconds. */
  mostMs?: number;
  /** The seam need not be alike: it is a pause, where nobody hears it. */
  isPause?: boolean;
}

const pitch: Pitch = { lag: 0, likeness: 0 };

/** Shortens the first `count` samples in place; returns how many are left: `count` where no cut would go unheard. */
export function shorten(samples: Int16Array, count: number, rate: number, how: Stretching = {}): number {
  const seam = seamOf(count, rate);
  const lag = partOf(samples, count, rate, how);
  // … early part | blend of the stretch one lag earlier into the last one.
  const from = count - seam;
  for (let index = 0; lag > 0 && index < seam; index++) {
    const late = (index + 1) / (seam + 1);
    const at = from - lag + index;
    samples[at] = Math.round(samples[at]! * (1 - late) + samples[from + index]! * late);
  }
  return count - lag;
}

/** Lengthens them, where the array has the room; returns how many there are then. */
export function lengthen(samples: Int16Array, count: number, rate: number, how: Stretching = {}): number {
  const seam = seamOf(count, rate);
  const lag = partOf(samples, count, rate, how, LONG_PART_MS) || partOf(samples, count, rate, how);
  if (lag === 0 || count + lag > samples.length) return count;
  // … the last stretch blended into the one a lag earlier | all that came after that, once more.
  samples.copyWithin(count, count - lag, count);
  const from = count - seam;
  // Backwards: what lies a lag earlier is still as it was.
  for (let index = seam - 1; index >= 0; index--) {
    const late = (index + 1) / (seam + 1);
    const at = from + index;
    samples[at] = Math.round(samples[at]! * (1 - late) + samples[at - lag]! * late);
  }
  return count + lag;
}

const seamOf = (count: number, rate: number) => Math.floor(Math.min(count / 2, (MAX_SEAM_MS * rate) / 1000));

/** The part that goes or comes, in samples: 0 where it would be heard. */
function partOf(
  samples: Int16Array,
  count: number,
  rate: number,
  { mostMs, isPause }: Stretching,
  leastMs = MIN_PART_MS,
): number {
  const perMs = rate / 1000;
  const seam = seamOf(count, rate);
  const maxLag = Math.floor(Math.min(count - seam, Math.min(mostMs ?? MAX_PART_MS, MAX_PART_MS) * perMs));
  const minLag = Math.ceil(leastMs * perMs);
  if (maxLag < minLag) return 0;
  if (rms(samples, 0, count) < QUIET) return maxLag;
  const { lag, likeness } = findPitch(samples, count, seam, minLag, maxLag, pitch);
  return likeness >= LIKENESS || isPause ? lag : 0;
}
