/** Opens the microphone and the loudspeaker: both, or the one that is there beside a stand-in for the other. */
import type { AudioFormat, AudioSpec, Clock } from '../contracts.ts';
import { HalError } from '../contracts.ts';
import type { OpenPcm, Pcm, PcmRequest, Side } from './alsa-library.ts';
import { noLoudspeaker, noMicrophone } from './stand-in.ts';

/**
 * What the microphone hears waits in the card for a late thread: that costs no delay, since whatever is there is read at
 * once, and what overflows would be gone for good. Milliseconds.
 */
const CAPTURE_RING_MS = 200;
/** The name of a side that the device does not have and does not miss. */
export const NONE = 'none';

export interface Sides {
  capture: Pcm;
  playback: Pcm;
  /** With so much the loudspeaker begins; frames of the card. */
  startFrames: number;
  /** The side that is wanted and stood in for, and why. */
  missing?: { side: Side; error: HalError };
}

const isHalf = (side: string | undefined) => side !== undefined && side !== 'both';

/** Throws HalError where neither can be had, and then holds neither. */
export function openSides(open: OpenPcm, spec: AudioSpec, format: AudioFormat, clock: Clock): Sides {
  const inFrames = (ms: number) => Math.round((format.rate * ms) / 1000);
  const bufferFrames = inFrames(spec.bufferMs);
  const ringFrames = Math.max(bufferFrames, inFrames(CAPTURE_RING_MS));
  const common = { rate: format.rate, periodFrames: inFrames(spec.periodMs), bufferFrames: ringFrames, startFrames: 1 };
  const faults: { side: Side; error: HalError }[] = [];
  const attempt = (request: PcmRequest): Pcm | undefined => {
    if (request.name === NONE) return undefined;
    try {
      return open(request);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      faults.push({ side: request.side, error });
      return undefined;
    }
  };
  const found = attempt({ ...common, name: spec.capture, side: 'capture', stereo: isHalf(spec.microphoneSide) });
  const capture = found ?? noMicrophone(clock, { ...common, bufferFrames });
  // Half the buffer is filled after each frame, as cushion against a late thread; half is room for bursts. A microphone
  // whose period is longer than asked for needs at least one of them as cushion.
  const periodFrames = Math.ceil((capture.periodFrames * format.rate) / capture.rate);
  const startFrames = Math.max(Math.floor(bufferFrames / 2), periodFrames + format.frameSamples);
  const room = { ...common, startFrames, bufferFrames: Math.max(bufferFrames, 2 * startFrames) };
  const stereo = isHalf(spec.loudspeakerSide) || isHalf(spec.lineOutSide);
  const heard = attempt({ ...room, name: spec.playback, side: 'playback', stereo });
  const playback = heard ?? noLoudspeaker(clock, room);
  const [missing] = faults;
  if (found === undefined && heard === undefined && missing !== undefined) throw missing.error;
  return {
    capture,
    playback,
    startFrames: Math.floor((startFrames * playback.rate) / format.rate),
    ...(missing && { missing }),
  };
}
