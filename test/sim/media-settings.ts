/** What a media engine starts with in tests: a simulated card, nothing out of the ordinary. Each test names what it is about. */
import type { MediaSettings } from '../../firmware/media/protocol.ts';
import type { AudioSpec } from '../../hal/contracts.ts';

export const simulatedCard = (rate: number): AudioSpec => ({
  driver: 'simulated',
  capture: '',
  playback: '',
  rate,
  periodMs: 10,
  bufferMs: 40,
});

export const ordinarySound = (rate: number, cname: string): MediaSettings => ({
  audio: simulatedCard(rate),
  rtpPorts: { from: 20_000, to: 29_999 },
  dscp: 0,
  jitter: { minMs: 20, maxMs: 400 },
  silentAfterMs: 30_000,
  country: 'eu',
  keysInSound: 'auto',
  opus: { bitrate: 24_000, complexity: 5, expectedLoss: 10 },
  loudspeakerDb: 0,
  microphoneDb: 0,
  cname,
});
