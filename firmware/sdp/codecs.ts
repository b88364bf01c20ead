/** What a media line says of codecs, of keys and noise beside them, and how to send to it. */
import { parseParameters, rtpMapOf } from './payloads.ts';
import type { MediaDescription, RtpMap } from './types.ts';

export type CodecName = 'opus' | 'G722' | 'PCMA' | 'PCMU';

/** A codec under its number in one description. */
export interface NumberedCodec {
  name: CodecName;
  payloadType: number;
}

export interface NegotiatedCodec extends NumberedCodec {
  /** By this number of ours the peer sends it (RFC 3264 §6.1). Absent: by the same. */
  heardAs?: number;
  /** Packet time to send, milliseconds. */
  ptimeMs: number;
  fec?: boolean;
  /** The peer takes silence for what it is, and shall be sent none: by comfort noise, or by Opus itself. */
  silence?: boolean;
  /** Bits a second that the peer takes at most (RFC 7587 §6.1 maxaveragebitrate). */
  maxBitrate?: number;
}

/**
 * RTP clock rates; Opus has 48000 whatever it encodes (RFC 7587 §4.1), and always says two channels (§7). G.722 has 8000
 * though it samples twice as often (RFC 3551 §4.5.2).
 */
export const CODECS: Record<CodecName, { payloadType: number; clockRate: number; channels: number }> = {
  opus: { payloadType: 96, clockRate: 48000, channels: 2 },
  G722: { payloadType: 9, clockRate: 8000, channels: 1 },
  PCMA: { payloadType: 8, clockRate: 8000, channels: 1 },
  PCMU: { payloadType: 0, clockRate: 8000, channels: 1 },
};
/** Comfort noise: static, and of this clock (RFC 3389 §4). */
export const NOISE_PAYLOAD_TYPE = 13;
export const NOISE_CLOCK_RATE = 8000;
/** Packet times that are sent, milliseconds: Opus knows no others in one frame (RFC 6716 §2.1.4). */
const PACKET_TIMES = [60, 50, 40, 30, 20, 10] as const;
const OPUS_PACKET_TIMES = [60, 40, 20, 10] as const;
/** RFC 7587 §6.1: what it may ask for, bits a second. */
const OPUS_BITRATES = { least: 6000, most: 510_000 };

export const takesNoise = (medium: MediaDescription, codec: CodecName) =>
  CODECS[codec].clockRate === NOISE_CLOCK_RATE &&
  medium.formats.includes(String(NOISE_PAYLOAD_TYPE)) &&
  rtpMapOf(medium, NOISE_PAYLOAD_TYPE)?.name.toUpperCase() === 'CN';

export function codecOf(medium: MediaDescription, payloadType: number): NumberedCodec | undefined {
  const map = rtpMapOf(medium, payloadType);
  const name = (Object.keys(CODECS) as CodecName[]).find(known => means(map, known));
  return name && { name, payloadType };
}

const means = (map: RtpMap | undefined, name: CodecName) =>
  map !== undefined &&
  map.clockRate === CODECS[name].clockRate &&
  (map.name === name || map.name.toLowerCase() === name.toLowerCase());

export function find(medium: MediaDescription, name: CodecName): NumberedCodec | undefined {
  for (const format of medium.formats) {
    const payloadType = Number(format);
    if (means(rtpMapOf(medium, payloadType), name)) return { name, payloadType };
  }
  return undefined;
}

/** The first of these codecs that is there. */
export function firstOf(medium: MediaDescription, names: readonly CodecName[]) {
  for (const name of names) {
    const found = find(medium, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The events that go by the codec's clock. A peer that has Opus and events at 8000 only still gets its keys: they are
 * the same, just their durations are off.
 */
export function findEvents(
  medium: MediaDescription,
  codec: CodecName,
): { payloadType: number; clockRate: number } | undefined {
  const events = eventsOf(medium);
  return events.find(({ clockRate }) => clockRate === CODECS[codec].clockRate) ?? events[0];
}

export const eventsOf = (medium: MediaDescription) =>
  medium.formats
    .map(format => ({ payloadType: Number(format), map: rtpMapOf(medium, Number(format)) }))
    .filter(({ map }) => map?.name.toLowerCase() === 'telephone-event')
    .map(({ payloadType, map }) => ({ payloadType, clockRate: map!.clockRate }));

/** How to send: the packet time that the peer asks for, error correction where both want it, silence where both take it. */
export function toSend(
  theirs: MediaDescription,
  codec: NumberedCodec,
  ours: MediaDescription,
  ptimeMs: number,
  silenceSuppression: boolean,
): NegotiatedCodec {
  const asked = Math.min(theirs.ptime ?? ptimeMs, theirs.maxptime ?? Number.POSITIVE_INFINITY);
  const isOpus = codec.name === 'opus';
  const times: readonly number[] = isOpus ? OPUS_PACKET_TIMES : PACKET_TIMES;
  const choice: NegotiatedCodec = { ...codec, ptimeMs: times.find(ms => ms <= asked) ?? 10 };
  const noise = takesNoise(theirs, codec.name) && takesNoise(ours, codec.name);
  if (!isOpus) return silenceSuppression && noise ? { ...choice, silence: true } : choice;
  const parameters = parseParameters(theirs.formatParameters.get(codec.payloadType));
  choice.fec = wantsFec(theirs, codec.payloadType) && offersFec(ours);
  if (silenceSuppression && parameters.get('usedtx') !== '0') choice.silence = true;
  const maxBitrate = Number(parameters.get('maxaveragebitrate') ?? Number.NaN);
  if (maxBitrate >= OPUS_BITRATES.least && maxBitrate <= OPUS_BITRATES.most) choice.maxBitrate = maxBitrate;
  return choice;
}

const wantsFec = (medium: MediaDescription, payloadType: number) =>
  parseParameters(medium.formatParameters.get(payloadType)).get('useinbandfec') === '1';

function offersFec(medium: MediaDescription): boolean {
  const opus = find(medium, 'opus');
  return opus !== undefined && wantsFec(medium, opus.payloadType);
}
