/** Offer and answer (RFC 3264) for one audio stream: what we can do, what they can do, and what comes of it. */
import { isIP } from 'node:net';
import {
  CODECS,
  type CodecName,
  codecOf,
  eventsOf,
  find,
  findEvents,
  firstOf,
  type NegotiatedCodec,
  NOISE_CLOCK_RATE,
  takesNoise,
  toSend,
} from './codecs.ts';
import type { Encryption, NegotiatedCrypto } from './crypto.ts';
import { meet, receives, wishOf } from './direction.ts';
import { ALL_REPORTS, agreedReports, type Reports, reportsAttribute, reportsOf } from './extended-reports.ts';
import { addEvents, addNoise, description, type Local, ourAudio, refusedMedium, type Taste } from './our-line.ts';
import { agreedCrypto, offerCrypto, protect } from './protect.ts';
import type { Direction, MediaDescription, Refused, SessionDescription } from './types.ts';

export interface Capabilities extends Taste {
  /** In order of preference. In an answer ours decides among what was offered (RFC 3264 §6.1 lets it). */
  codecs: readonly CodecName[];
  /** Keys as RFC 4733 events. */
  telephoneEvent: boolean;
  /** The peer may send noise in place of its silence (RFC 3389), beside codecs of 8000 ticks. */
  comfortNoise?: boolean;
  /** Nothing, or word of silence, is sent while nobody speaks here, where the peer takes that. */
  silenceSuppression?: boolean;
  /** RTCP through the port of RTP (RFC 5761). */
  rtcpMux?: boolean;
  /** Of how good the peer is heard, and of the round trip (RFC 3611). */
  extendedReports?: boolean;
  /** SRTP with keys by SDES. Absent: plain sound only. */
  encryption?: Encryption;
}

export interface Negotiated extends Reports {
  /** Seen from here. */
  direction: Direction;
  remote: { host: string; rtpPort: number; rtcpPort: number };
  codec: NegotiatedCodec;
  /** Other codecs of the answer: the peer may switch without asking (RFC 3264 §5.1). */
  alsoReceives?: NegotiatedCodec[];
  /** Payload type; absent where the peer has none. */
  telephoneEvent?: number;
  /** By this number of ours the peer sends keys. Absent: by the same. */
  keysHeardAs?: number;
  /** The peer hears nothing of us by its own wish. */
  onHold: boolean;
  /** Absent: the sound is plain. */
  crypto?: NegotiatedCrypto;
  rtcpMux?: boolean;
}

/** RTP, and RTP with feedback (RFC 4585), which we take and do not need; each plain or secure. */
const PROTOCOLS = ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'];
/** Events go by the clock of the sound beside them (RFC 4733 §2.1). 101 is what most peers use for 8000. */
const EVENT_PAYLOAD_TYPES = new Map([
  [8000, 101],
  [48000, 97],
]);

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
  if (capabilities.extendedReports) audio.attributes.push(reportsAttribute(ALL_REPORTS)!);
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

/** `wanted`, or the next payload type that means nothing yet. */
function take(taken: Set<number>, wanted: number): number {
  let payloadType = wanted;
  while (taken.has(payloadType)) payloadType++;
  taken.add(payloadType);
  return payloadType;
}

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
  const reports = capabilities.extendedReports ? agreedReports(ALL_REPORTS, reportsOf(offer, medium)) : {};
  const attribute = reportsAttribute(reports);
  if (attribute !== undefined) audio.attributes.push(attribute);
  Object.assign(negotiated, reports);
  return { audio, negotiated };
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
    .map(codec => {
      const choice = toSend(theirs, codec!, ours, ours.ptime ?? 20, silenceSuppression);
      // RFC 3264 §6.1: each side is sent the numbers of its own description.
      const { payloadType: heardAs } = find(ours, choice.name)!;
      return heardAs === choice.payloadType ? choice : { ...choice, heardAs };
    });
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
  const keys = event && eventsOf(ours).find(({ clockRate }) => clockRate === event.clockRate);
  if (keys !== undefined && keys.payloadType !== event?.payloadType) negotiated.keysHeardAs = keys.payloadType;
  const crypto = agreedCrypto(ours, theirs);
  if (crypto !== undefined && 'refused' in crypto) return crypto;
  if (crypto !== undefined) negotiated.crypto = crypto;
  // RFC 5761 §5.1.1: only where both say so.
  if (ours.rtcpMux && theirs.rtcpMux) negotiated.rtcpMux = true;
  return Object.assign(negotiated, agreedReports(reportsOf(offer, ours), reportsOf(answer, theirs)));
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
