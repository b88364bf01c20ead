/** Offer and answer (RFC 3264) for one audio stream: what we can do, what they can do, and what comes of it. */
import { isIP } from 'node:net';
import {
  chooseCrypto,
  cryptoAttribute,
  cryptoLines,
  type Encryption,
  isSecureProtocol,
  type NegotiatedCrypto,
  offeredCrypto,
} from './crypto.ts';
import { meet, receives, wishOf } from './direction.ts';
import { parseParameters, rtpMapOf } from './payloads.ts';
import type { Attribute, Direction, MediaDescription, RtpMap, SessionDescription } from './types.ts';

export type CodecName = 'opus' | 'G722' | 'PCMA' | 'PCMU';

export interface Capabilities {
  /** In order of preference. In an answer ours decides among what was offered (RFC 3264 §6.1 lets it). */
  codecs: readonly CodecName[];
  /** What we like to receive, and send where the peer names no other. Milliseconds. */
  ptimeMs: number;
  /** Keys as RFC 4733 events. */
  telephoneEvent: boolean;
  /** In-band error correction of Opus (RFC 7587 §6.1). */
  opusFec: boolean;
  /** The peer may send noise in place of its silence (RFC 3389), beside codecs of 8000 ticks. */
  comfortNoise?: boolean;
  /** Nothing, or word of silence, is sent while nobody speaks here, where the peer takes that. */
  silenceSuppression?: boolean;
  /** RTCP through the port of RTP (RFC 5761). */
  rtcpMux?: boolean;
  /** Extended reports on how good the peer is heard (RFC 3611 §4.7). */
  voipMetrics?: boolean;
  /** SRTP with keys by SDES. Absent: plain sound only. */
  encryption?: Encryption;
}

/** Our end. `host` is an IP literal; `version` grows by one with each changed description (RFC 3264 §8). */
export interface Local {
  host: string;
  rtpPort: number;
  sessionId: string;
  version: number;
}

export interface NegotiatedCodec {
  name: CodecName;
  payloadType: number;
  /** Packet time to send, milliseconds. */
  ptimeMs: number;
  fec?: boolean;
  /** The peer takes silence for what it is, and shall be sent none: by comfort noise, or by Opus itself. */
  silence?: boolean;
  /** Bits a second that the peer takes at most (RFC 7587 §6.1 maxaveragebitrate). */
  maxBitrate?: number;
}

export interface Negotiated {
  /** Seen from here. */
  direction: Direction;
  remote: { host: string; rtpPort: number; rtcpPort: number };
  codec: NegotiatedCodec;
  /** Other codecs of the answer: the peer may switch without asking (RFC 3264 §5.1). */
  alsoReceives?: NegotiatedCodec[];
  /** Payload type; absent where the peer has none. */
  telephoneEvent?: number;
  /** The peer hears nothing of us by its own wish. */
  onHold: boolean;
  /** Absent: the sound is plain. */
  crypto?: NegotiatedCrypto;
  rtcpMux?: boolean;
  voipMetrics?: boolean;
}

export interface Refused {
  refused: string;
}

/**
 * RTP clock rates; Opus has 48000 whatever it encodes (RFC 7587 §4.1), and always says two channels (§7). G.722 has 8000
 * though it samples twice as often (RFC 3551 §4.5.2).
 */
const CODECS: Record<CodecName, { payloadType: number; clockRate: number; channels: number }> = {
  opus: { payloadType: 96, clockRate: 48000, channels: 2 },
  G722: { payloadType: 9, clockRate: 8000, channels: 1 },
  PCMA: { payloadType: 8, clockRate: 8000, channels: 1 },
  PCMU: { payloadType: 0, clockRate: 8000, channels: 1 },
};
/** Events go by the clock of the sound beside them (RFC 4733 §2.1). 101 is what most peers use for 8000. */
const EVENT_PAYLOAD_TYPES = new Map([
  [8000, 101],
  [48000, 97],
]);
const EVENTS = '0-15';
/** RTP, and RTP with feedback (RFC 4585), which we take and do not need; each plain or secure. */
const PROTOCOLS = ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'];
/** Comfort noise: static, and of this clock (RFC 3389 §4). */
const NOISE_PAYLOAD_TYPE = 13;
const NOISE_CLOCK_RATE = 8000;
/** RFC 3611 §5.1. */
const VOIP_METRICS: Attribute = ['rtcp-xr', 'voip-metrics'];
/** Packet times that are sent, milliseconds: Opus knows no others in one frame (RFC 6716 §2.1.4). */
const PACKET_TIMES = [60, 50, 40, 30, 20, 10] as const;
const OPUS_PACKET_TIMES = [60, 40, 20, 10] as const;
/** RFC 7587 §6.1: what it may ask for, bits a second. */
const OPUS_BITRATES = { least: 6000, most: 510_000 };

// ---- offer ---------------------------------------------------------------------------------------------------

/**
 * Our offer. For one inside a call give `previous`, our last description: its m-lines keep their places, the refused ones
 * stay refused, and no payload type changes its meaning (RFC 3264 §8.3.2).
 */
export function makeOffer(
  capabilities: Capabilities,
  local: Local,
  direction: Direction,
  previous?: SessionDescription,
): SessionDescription {
  const before = previous?.media.find(({ type, port }) => type === 'audio' && port !== 0);
  const taken = new Set(before?.rtpMaps.keys());
  const codecs = capabilities.codecs.map(
    name => (before && find(before, name)) ?? { name, payloadType: take(taken, CODECS[name].payloadType) },
  );
  const audio = ourAudio(capabilities, local, direction, codecs);
  offerCrypto(audio, capabilities.encryption, before);
  if (capabilities.comfortNoise && codecs.some(({ name }) => CODECS[name].clockRate === NOISE_CLOCK_RATE))
    addNoise(audio);
  if (capabilities.rtcpMux) audio.rtcpMux = true;
  if (capabilities.voipMetrics) audio.attributes.push(VOIP_METRICS);
  if (capabilities.telephoneEvent) {
    // Events at 8000 are offered beside Opus alone too: many telephones know no others, and without keys no door opens.
    for (const clockRate of new Set([...capabilities.codecs.map(name => CODECS[name].clockRate), 8000])) {
      const known = before && eventsOf(before).find(event => event.clockRate === clockRate);
      addEvents(audio, known?.payloadType ?? take(taken, EVENT_PAYLOAD_TYPES.get(clockRate)!), clockRate);
    }
  }
  if (previous === undefined) return description(local, [audio]);
  return description(
    local,
    previous.media.map(medium => (medium === before ? audio : refusedMedium(medium))),
  );
}

/** Inside a call its present way is offered again: keys that change would be heard, and plain stays plain. */
function offerCrypto(
  audio: MediaDescription,
  encryption: Encryption | undefined,
  before: MediaDescription | undefined,
) {
  if (before !== undefined) {
    audio.protocol = before.protocol;
    audio.attributes.push(...before.attributes.filter(([name]) => name === 'crypto'));
    return;
  }
  if (encryption?.policy !== 'offered' && encryption?.policy !== 'required') return;
  // RFC 4568 wants RTP/SAVP; beside plain RTP the keys stand in RTP/AVP, as telephones have it, and may be passed over.
  if (encryption.policy === 'required') audio.protocol = 'RTP/SAVP';
  audio.attributes.push(...offeredCrypto(encryption));
}

/** `wanted`, or the next payload type that means nothing yet. */
function take(taken: Set<number>, wanted: number): number {
  let payloadType = wanted;
  while (taken.has(payloadType)) payloadType++;
  taken.add(payloadType);
  return payloadType;
}

function ourAudio(
  capabilities: Capabilities,
  local: Local,
  direction: Direction,
  codecs: readonly { name: CodecName; payloadType: number }[],
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
    ptime: capabilities.ptimeMs,
    direction,
    attributes: [],
  };
  for (const { name, payloadType } of codecs) {
    if (name === 'opus') audio.formatParameters.set(payloadType, opusParameters(capabilities));
  }
  return audio;
}

/** RFC 7587 §6.1: what we like to receive. One microphone and one loudspeaker: mono both ways. */
const opusParameters = ({ opusFec }: Capabilities) => `useinbandfec=${opusFec ? 1 : 0};stereo=0;sprop-stereo=0`;

function addEvents(audio: MediaDescription, payloadType: number, clockRate: number) {
  audio.formats.push(String(payloadType));
  audio.rtpMaps.set(payloadType, { name: 'telephone-event', clockRate, channels: 1 });
  audio.formatParameters.set(payloadType, EVENTS);
}

function addNoise(audio: MediaDescription) {
  audio.formats.push(String(NOISE_PAYLOAD_TYPE));
  audio.rtpMaps.set(NOISE_PAYLOAD_TYPE, { name: 'CN', clockRate: NOISE_CLOCK_RATE, channels: 1 });
}

const takesNoise = (medium: MediaDescription, codec: CodecName) =>
  CODECS[codec].clockRate === NOISE_CLOCK_RATE &&
  medium.formats.includes(String(NOISE_PAYLOAD_TYPE)) &&
  rtpMapOf(medium, NOISE_PAYLOAD_TYPE)?.name.toUpperCase() === 'CN';

const description = (local: Local, media: MediaDescription[]): SessionDescription => ({
  origin: { username: '-', sessionId: local.sessionId, version: String(local.version), host: local.host },
  name: '-',
  host: local.host,
  attributes: [],
  media,
});

/** RFC 3264 §6: refused by port 0, with its formats since a list is obligatory. */
const refusedMedium = ({ type, protocol, formats }: MediaDescription): MediaDescription => ({
  type,
  port: 0,
  protocol,
  formats: formats.slice(0, 1),
  rtpMaps: new Map(),
  formatParameters: new Map(),
  attributes: [],
});

// ---- answer --------------------------------------------------------------------------------------------------

/**
 * Answers with one codec, so that the peer cannot switch. `direction` is what we are ready for; the answer has less where
 * the offer has less. The first usable audio line is taken, all others get port 0.
 */
export function makeAnswer(
  offer: SessionDescription,
  capabilities: Capabilities,
  local: Local,
  direction: Direction,
): { answer: SessionDescription; negotiated: Negotiated } | Refused {
  let why = 'no audio is offered';
  for (const medium of offer.media) {
    if (medium.type !== 'audio') continue;
    const candidate = answerMedium(offer, medium, capabilities, local, direction);
    if ('refused' in candidate) {
      why = candidate.refused;
      continue;
    }
    const media = offer.media.map(other => (other === medium ? candidate.audio : refusedMedium(other)));
    return { answer: description(local, media), negotiated: candidate.negotiated };
  }
  return { refused: why };
}

function answerMedium(
  offer: SessionDescription,
  medium: MediaDescription,
  capabilities: Capabilities,
  local: Local,
  direction: Direction,
): { audio: MediaDescription; negotiated: Negotiated } | Refused {
  const remote = remoteOf(offer, medium);
  if ('refused' in remote) return remote;
  const codec = firstOf(medium, capabilities.codecs);
  if (codec === undefined) return { refused: `none of ${capabilities.codecs.join(', ')} is offered` };

  const protection = protect(medium, capabilities.encryption);
  if ('refused' in protection) return protection;

  const wanted = wishOf(offer, medium);
  const agreed = meet(direction, wanted);
  const audio = ourAudio(capabilities, local, agreed, [codec]);
  audio.protocol = medium.protocol;
  if (protection.attribute !== undefined) audio.attributes.push(protection.attribute);
  if (capabilities.comfortNoise && takesNoise(medium, codec.name)) addNoise(audio);
  const silenceSuppression = capabilities.silenceSuppression ?? false;
  const event = capabilities.telephoneEvent ? findEvents(medium, codec.name) : undefined;
  if (event !== undefined) addEvents(audio, event.payloadType, event.clockRate);
  const negotiated: Negotiated = {
    direction: agreed,
    remote,
    codec: toSend(medium, codec, audio, capabilities.ptimeMs, silenceSuppression),
    onHold: !receives(wanted),
  };
  if (event !== undefined) negotiated.telephoneEvent = event.payloadType;
  if (protection.crypto !== undefined) negotiated.crypto = protection.crypto;
  if (capabilities.rtcpMux && medium.rtcpMux) negotiated.rtcpMux = audio.rtcpMux = true;
  if (capabilities.voipMetrics && wantsMetrics(offer, medium)) {
    negotiated.voipMetrics = true;
    audio.attributes.push(VOIP_METRICS);
  }
  return { audio, negotiated };
}

/** How an offered medium is encrypted: not at all, or our line and both keys. */
function protect(
  medium: MediaDescription,
  encryption: Encryption | undefined,
): { attribute?: Attribute; crypto?: NegotiatedCrypto } | Refused {
  const isSecure = isSecureProtocol(medium.protocol);
  if (encryption === undefined || encryption.policy === 'off') {
    return isSecure ? { refused: `${medium.protocol} is offered, and encryption is switched off here` } : {};
  }
  const chosen = chooseCrypto(cryptoLines(medium), encryption);
  if (chosen === undefined) {
    if (isSecure) return { refused: `no key of ${medium.protocol} can be used` };
    return encryption.policy === 'required'
      ? { refused: 'plain sound is offered, and encryption is required here' }
      : {};
  }
  const { line, suite } = chosen;
  return {
    attribute: cryptoAttribute(line.tag, suite, encryption),
    crypto: { suite: suite.name, ours: encryption.keyFor(suite), theirs: line.key },
  };
}

/** The way that their answer has taken of those that we offered; undefined: plain. */
function agreedCrypto(ours: MediaDescription, theirs: MediaDescription): NegotiatedCrypto | Refused | undefined {
  const [line] = cryptoLines(theirs);
  const offered = line && cryptoLines(ours).find(({ tag, suite }) => tag === line.tag && suite === line.suite);
  if (line !== undefined && offered !== undefined && line.key.length === offered.key.length)
    return { suite: line.suite, ours: offered.key, theirs: line.key };
  if (isSecureProtocol(ours.protocol))
    return { refused: 'the answer has no key of ours: nothing is sent in the plain' };
  return isSecureProtocol(theirs.protocol) ? { refused: `the answer is ${theirs.protocol} without a key` } : undefined;
}

/** What comes of our offer and their answer. */
export function acceptAnswer(
  offer: SessionDescription,
  answer: SessionDescription,
  { silenceSuppression = false }: Pick<Capabilities, 'silenceSuppression'> = {},
): Negotiated | Refused {
  const at = offer.media.findIndex(({ type, port }) => type === 'audio' && port !== 0);
  const ours = offer.media[at];
  const theirs = answer.media[at];
  if (ours === undefined) return { refused: 'no audio was offered' };
  // Some peers leave out the lines that they refuse; ours comes first, so that is tolerated (RFC 3264 §6 is stricter).
  if (theirs === undefined || theirs.type !== 'audio') return { refused: 'the answer has no audio' };
  if (theirs.port === 0) return { refused: 'the audio was refused' };

  const remote = remoteOf(answer, theirs);
  if ('refused' in remote) return remote;
  const codecs = theirs.formats
    .map(Number)
    .map(payloadType => codecOf(theirs, payloadType))
    .filter(codec => codec !== undefined && find(ours, codec.name) !== undefined)
    .map(codec => toSend(theirs, codec!, ours, ours.ptime ?? 20, silenceSuppression));
  const [codec, ...others] = codecs;
  if (codec === undefined) return { refused: 'the answer has none of the codecs that were offered' };

  const wanted = wishOf(answer, theirs);
  const negotiated: Negotiated = {
    direction: meet(ours.direction ?? 'sendrecv', wanted),
    remote,
    codec,
    onHold: !receives(wanted),
  };
  if (others.length > 0) negotiated.alsoReceives = others;
  const event = findEvents(ours, codec.name) && findEvents(theirs, codec.name);
  if (event !== undefined) negotiated.telephoneEvent = event.payloadType;
  const crypto = agreedCrypto(ours, theirs);
  if (crypto !== undefined && 'refused' in crypto) return crypto;
  if (crypto !== undefined) negotiated.crypto = crypto;
  // RFC 5761 §5.1.1: only where both say so.
  if (ours.rtcpMux && theirs.rtcpMux) negotiated.rtcpMux = true;
  if (wantsMetrics(offer, ours) && wantsMetrics(answer, theirs)) negotiated.voipMetrics = true;
  return negotiated;
}

// ---- parts of both -------------------------------------------------------------------------------------------

function remoteOf(session: SessionDescription, medium: MediaDescription): Negotiated['remote'] | Refused {
  if (medium.port === 0) return { refused: 'the audio has port 0' };
  if (!PROTOCOLS.includes(medium.protocol)) return { refused: `${medium.protocol} is not supported, RTP/AVP is` };
  const host = medium.host ?? session.host;
  if (host === undefined) return { refused: 'no connection address' };
  // A name would have to be looked up before each packet or on the way to the call: nobody sends one.
  if (isIP(host) === 0) return { refused: `the connection address ${host} is not an IP address` };
  // RFC 3605 §2.1: without `a=rtcp` the port above.
  const rtcpPort = medium.rtcpPort ?? Math.min(medium.port + 1, 65535);
  return { host, rtpPort: medium.port, rtcpPort };
}

/** Said of the medium, or of the session as a whole (RFC 3611 §5.1). */
const wantsMetrics = (session: SessionDescription, medium: MediaDescription) =>
  [...medium.attributes, ...session.attributes].some(
    ([name, value = '']) => name === 'rtcp-xr' && value.split(/\s+/).includes('voip-metrics'),
  );

function codecOf(medium: MediaDescription, payloadType: number): { name: CodecName; payloadType: number } | undefined {
  const map = rtpMapOf(medium, payloadType);
  const name = (Object.keys(CODECS) as CodecName[]).find(known => means(map, known));
  return name && { name, payloadType };
}

const means = (map: RtpMap | undefined, name: CodecName) =>
  map !== undefined &&
  map.clockRate === CODECS[name].clockRate &&
  (map.name === name || map.name.toLowerCase() === name.toLowerCase());

function find(medium: MediaDescription, name: CodecName): { name: CodecName; payloadType: number } | undefined {
  for (const format of medium.formats) {
    const payloadType = Number(format);
    if (means(rtpMapOf(medium, payloadType), name)) return { name, payloadType };
  }
  return undefined;
}

/** The first of these codecs that is there. */
function firstOf(medium: MediaDescription, names: readonly CodecName[]) {
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
function findEvents(
  medium: MediaDescription,
  codec: CodecName,
): { payloadType: number; clockRate: number } | undefined {
  const events = eventsOf(medium);
  return events.find(({ clockRate }) => clockRate === CODECS[codec].clockRate) ?? events[0];
}

const eventsOf = (medium: MediaDescription) =>
  medium.formats
    .map(format => ({ payloadType: Number(format), map: rtpMapOf(medium, Number(format)) }))
    .filter(({ map }) => map?.name.toLowerCase() === 'telephone-event')
    .map(({ payloadType, map }) => ({ payloadType, clockRate: map!.clockRate }));

/** How to send: the packet time that the peer asks for, error correction where both want it, silence where both take it. */
function toSend(
  theirs: MediaDescription,
  codec: { name: CodecName; payloadType: number },
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
