/** Our line of sound, and the description around it. */
import { CODECS, NOISE_CLOCK_RATE, NOISE_PAYLOAD_TYPE, type NumberedCodec } from './codecs.ts';
import type { Direction, MediaDescription, SessionDescription } from './types.ts';

/** Our end. `host` is an IP literal; `version` grows by one with each changed description (RFC 3264 §8). */
export interface Local {
  host: string;
  rtpPort: number;
  sessionId: string;
  version: number;
}

/** What we like to receive. */
export interface Taste {
  /** Milliseconds a packet; sent too where the peer names no other. */
  ptimeMs: number;
  /** In-band error correction of Opus (RFC 7587 §6.1). */
  opusFec: boolean;
}

const EVENTS = '0-15';

export function ourAudio(
  taste: Taste,
  local: Local,
  direction: Direction,
  codecs: readonly NumberedCodec[],
): MediaDescription {
  const audio: MediaDescription = {
    type: 'audio',
    port: local.rtpPort,
    protocol: 'RTP/AVP',
    formats: codecs.map(({ payloadType }) => String(payloadType)),
    rtpMaps: new Map(
      codecs.map(({ name, payloadType }) => {
        const { clockRate, channels } = CODECS[name];
        return [payloadType, { name, clockRate, channels }];
      }),
    ),
    formatParameters: new Map(),
    ptime: taste.ptimeMs,
    direction,
    attributes: [],
  };
  for (const { name, payloadType } of codecs) {
    if (name === 'opus') audio.formatParameters.set(payloadType, opusParameters(taste));
  }
  return audio;
}

/** One microphone and one loudspeaker: mono both ways (RFC 7587 §6.1). */
const opusParameters = ({ opusFec }: Taste) => `useinbandfec=${opusFec ? 1 : 0};stereo=0;sprop-stereo=0`;

export function addEvents(audio: MediaDescription, payloadType: number, clockRate: number) {
  audio.formats.push(String(payloadType));
  audio.rtpMaps.set(payloadType, { name: 'telephone-event', clockRate, channels: 1 });
  audio.formatParameters.set(payloadType, EVENTS);
}

export function addNoise(audio: MediaDescription) {
  audio.formats.push(String(NOISE_PAYLOAD_TYPE));
  audio.rtpMaps.set(NOISE_PAYLOAD_TYPE, { name: 'CN', clockRate: NOISE_CLOCK_RATE, channels: 1 });
}

export const description = (local: Local, media: MediaDescription[]): SessionDescription => ({
  origin: { username: '-', sessionId: local.sessionId, version: String(local.version), host: local.host },
  name: '-',
  host: local.host,
  attributes: [],
  media,
});

/** RFC 3264 §6: refused by port 0, with its formats since a list is obligatory. */
export const refusedMedium = ({ type, protocol, formats }: MediaDescription): MediaDescription => ({
  type,
  port: 0,
  protocol,
  formats: formats.slice(0, 1),
  rtpMaps: new Map(),
  formatParameters: new Map(),
  attributes: [],
});
