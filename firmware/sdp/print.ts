/** Prints SDP in the order that RFC 4566 §5 prescribes. */
import type { Attribute, MediaDescription, SessionDescription } from './types.ts';

export function printSdp(session: SessionDescription): string {
  const { origin } = session;
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.version} ${address(origin.host)}`,
    // §5.3: a session without a name has a hyphen or a blank, never nothing.
    `s=${session.name || '-'}`,
    ...(session.host === undefined ? [] : [`c=${address(session.host)}`]),
    't=0 0',
    ...(session.direction === undefined ? [] : [`a=${session.direction}`]),
    ...session.attributes.map(printAttribute),
    ...session.media.flatMap(printMedia),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function printMedia(media: MediaDescription): string[] {
  const lines = [`m=${media.type} ${media.port} ${media.protocol} ${media.formats.join(' ')}`];
  if (media.host !== undefined) lines.push(`c=${address(media.host)}`);
  for (const [payloadType, { name, clockRate, channels }] of media.rtpMaps) {
    lines.push(`a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ''}`);
  }
  for (const [payloadType, parameters] of media.formatParameters) lines.push(`a=fmtp:${payloadType} ${parameters}`);
  if (media.ptime !== undefined) lines.push(`a=ptime:${media.ptime}`);
  if (media.maxptime !== undefined) lines.push(`a=maxptime:${media.maxptime}`);
  if (media.rtcpPort !== undefined) lines.push(`a=rtcp:${media.rtcpPort}`);
  if (media.rtcpMux) lines.push('a=rtcp-mux');
  if (media.direction !== undefined) lines.push(`a=${media.direction}`);
  lines.push(...media.attributes.map(printAttribute));
  return lines;
}

const printAttribute = ([name, value]: Attribute) => (value === undefined ? `a=${name}` : `a=${name}:${value}`);

const address = (host: string) => `IN ${host.includes(':') ? 'IP6' : 'IP4'} ${host}`;
