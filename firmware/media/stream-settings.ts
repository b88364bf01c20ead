/** What a stream's settings mean, and what changed from one negotiation to the next. */
import type { CodecChoice, StreamSettings } from './protocol.ts';

export const speaks = ({ direction }: StreamSettings) => direction === 'sendrecv' || direction === 'sendonly';
export const hears = ({ direction }: StreamSettings) => direction === 'sendrecv' || direction === 'recvonly';

/**
 * Everything that the peer may send, the negotiated codec first. Where it has other numbers than we, it should send ours
 * (RFC 3264 §6.1); its own are understood too, as far as they mean nothing else.
 */
export function choicesOf({ codec, alsoReceives = [] }: StreamSettings): CodecChoice[] {
  const choices = [codec, ...alsoReceives];
  const ours = choices.map(({ heardAs, ...choice }) => ({ ...choice, payloadType: heardAs ?? choice.payloadType }));
  const theirs = choices.filter(({ payloadType }) => !ours.some(choice => choice.payloadType === payloadType));
  return [...ours, ...theirs];
}

/** The encoder may stay. */
export const sendsTheSame = ({ codec: a }: StreamSettings, { codec: b }: StreamSettings) =>
  a.name === b.name &&
  a.payloadType === b.payloadType &&
  a.ptimeMs === b.ptimeMs &&
  !a.fec === !b.fec &&
  !a.silence === !b.silence &&
  a.maxBitrate === b.maxBitrate;

/** The decoders may stay: for them name and payload type are all that counts. */
export function hearsTheSame(a: StreamSettings, b: StreamSettings): boolean {
  const [before, after] = [choicesOf(a), choicesOf(b)];
  return (
    before.length === after.length &&
    before.every(({ name, payloadType }, index) => {
      const other = after[index]!;
      return name === other.name && payloadType === other.payloadType;
    })
  );
}

export const sameRemote = ({ remote: a }: StreamSettings, { remote: b }: StreamSettings) =>
  a.host === b.host && a.rtpPort === b.rtpPort && a.rtcpPort === b.rtcpPort;
