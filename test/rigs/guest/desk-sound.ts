/** The sound of the telephone at the far end: no card, silence. */
import type { MediaSettings } from '../../../firmware/media/protocol.ts';

export const deskSound: MediaSettings = {
  audio: { driver: 'simulated', capture: '', playback: '', rate: 16_000, periodMs: 10, bufferMs: 40 },
  rtpPorts: { from: 30_000, to: 30_199 },
  dscp: 0,
  jitter: { minMs: 20, maxMs: 400 },
  silentAfterMs: 30_000,
  country: 'eu',
  keysInSound: 'never',
  opus: { bitrate: 24_000, complexity: 5, expectedLoss: 10 },
  loudspeakerDb: 0,
  microphoneDb: 0,
  cname: 'desk',
};
