/** The unit in which sound moves through the device: 10 ms, mono, 16-bit signed. */

/** Milliseconds of sound in one frame. */
export const FRAME_MS = 10;

/** Samples per second that the sound card and the codecs may run at. Each gives a whole number of samples a frame. */
export type Rate = 8000 | 12000 | 16000 | 24000 | 32000 | 48000;

/** Samples in one frame at `rate`. */
export const frameSamples = (rate: number): number => (rate * FRAME_MS) / 1000;

/** The longest packet that any codec here sends or takes, in milliseconds (RFC 7587 §4.2). */
export const MAX_PACKET_MS = 120;

/** A sum of sounds brought back into 16 bits: rounded, and clipped rather than wrapped. */
export const saturate = (value: number): number =>
  value >= 32767 ? 32767 : value <= -32768 ? -32768 : Math.round(value);

/** Root of the mean square of `count` samples from `from`. */
export function rms(samples: Int16Array, from = 0, count = samples.length - from): number {
  let sum = 0;
  for (let index = from; index < from + count; index++) sum += samples[index]! * samples[index]!;
  return count === 0 ? 0 : Math.sqrt(sum / count);
}
