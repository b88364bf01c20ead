/** What payload types and their parameters mean (RFC 3551 §6, RFC 4566 §6). */
import type { MediaDescription, RtpMap } from './types.ts';

/** Static payload types of RFC 3551 §6, the audio ones with one meaning. */
const STATIC: ReadonlyMap<number, RtpMap> = new Map(
  (
    [
      [0, 'PCMU', 8000],
      [3, 'GSM', 8000],
      [4, 'G723', 8000],
      [5, 'DVI4', 8000],
      [6, 'DVI4', 16000],
      [7, 'LPC', 8000],
      [8, 'PCMA', 8000],
      // §4.5.2: G.722 samples at 16 kHz, but its RTP clock is 8 kHz by an old error.
      [9, 'G722', 8000],
      [12, 'QCELP', 8000],
      [13, 'CN', 8000],
      [15, 'G728', 8000],
      [16, 'DVI4', 11025],
      [17, 'DVI4', 22050],
      [18, 'G729', 8000],
    ] as const
  ).map(([payloadType, name, clockRate]) => [payloadType, { name, clockRate, channels: 1 }]),
);

/** What a payload type means: by its rtpmap, else by RFC 3551. Undefined: nobody has said. */
export const rtpMapOf = (media: MediaDescription, payloadType: number): RtpMap | undefined =>
  media.rtpMaps.get(payloadType) ?? STATIC.get(payloadType);

/** `useinbandfec=1; stereo=0` → useinbandfec → 1. Names are lower-cased; a parameter without value has ''. */
export function parseParameters(text: string | undefined): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of (text ?? '').split(';')) {
    const [name = '', ...value] = part.split('=');
    if (name.trim() !== '') parameters.set(name.trim().toLowerCase(), value.join('=').trim());
  }
  return parameters;
}
