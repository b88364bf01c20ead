/**
 * Reads SDP (RFC 4566 §5, RFC 8866). Strict in what a call depends on, tolerant of what peers get wrong: bare LF, no `s=`
 * or `t=`, blanks at the ends of lines, unknown lines, which are passed over.
 */
import type { Direction, MediaDescription, Origin, RtpMap, SessionDescription } from './types.ts';

/** What the peer sent cannot be used; `why` is a phrase for a log or a Warning header. */
export interface MalformedSdp {
  malformed: string;
}

export const MAX_SDP_BYTES = 16 * 1024;
export const MAX_SDP_LINES = 512;
export const MAX_MEDIA = 16;
/** Payload types in one m-line. */
export const MAX_FORMATS = 64;

const DIRECTIONS: ReadonlySet<string> = new Set<Direction>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const NOBODY: Origin = { username: '-', sessionId: '0', version: '0', host: '0.0.0.0' };

const decoder = new TextDecoder();

class Refused extends Error {}

const refuse = (why: string): never => {
  throw new Refused(why);
};

export function parseSdp(input: Uint8Array | string): SessionDescription | MalformedSdp {
  // A string has at most as many UTF-16 units as UTF-8 bytes, so this bounds both.
  if (input.length > MAX_SDP_BYTES) return { malformed: `longer than ${MAX_SDP_BYTES} bytes` };
  const text = typeof input === 'string' ? input : decoder.decode(input);
  const lines = linesOf(text);
  if (lines.length > MAX_SDP_LINES) return { malformed: `more than ${MAX_SDP_LINES} lines` };
  try {
    return parseLines(lines);
  } catch (error) {
    if (error instanceof Refused) return { malformed: error.message };
    throw error;
  }
}

/** Each perhaps with the CR of its end. An expression takes ten times as long as a split, and is seldom needed. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.some(hasBareCr) ? text.split(/\r\n|\n|\r/) : lines;
}

function hasBareCr(line: string): boolean {
  const at = line.indexOf('\r');
  return at >= 0 && at < line.length - 1;
}

function parseLines(lines: readonly string[]): SessionDescription {
  const session: SessionDescription = { origin: NOBODY, name: '-', attributes: [], media: [] };
  let media: MediaDescription | undefined;
  let versionSeen = false;

  for (const ended of lines) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (line === '' || line.trim() === '') continue;
    if (line[1] !== '=' || line[0]! < 'a' || line[0]! > 'z') refuse(`not a line of SDP: ${excerpt(line)}`);
    const value = line.slice(2).trim();
    switch (line[0]) {
      case 'v':
        if (value !== '0') refuse(`version ${excerpt(value)}`);
        versionSeen = true;
        break;
      case 'o':
        session.origin = parseOrigin(value);
        break;
      case 's':
        session.name = value;
        break;
      case 'c':
        (media ?? session).host = parseConnection(value);
        break;
      case 'm':
        if (session.media.length === MAX_MEDIA) refuse(`more than ${MAX_MEDIA} media`);
        media = parseMedia(value);
        session.media.push(media);
        break;
      case 'a':
        parseAttribute(session, media, value);
        break;
    }
  }
  if (!versionSeen) refuse('no v= line');
  return session;
}

function parseOrigin(value: string): Origin {
  const [username, sessionId, version, , , host] = value.split(/\s+/);
  if (username === undefined || sessionId === undefined || version === undefined || host === undefined) {
    return refuse(`o=${excerpt(value)}`);
  }
  return { username, sessionId, version, host };
}

/** `IN IP4 192.0.2.1`, `IN IP4 224.2.36.42/127`, `IN IP6 2001:db8::1`. */
function parseConnection(value: string): string {
  const [network, type, address] = value.split(/\s+/);
  const host = address?.split('/')[0];
  if (network !== 'IN' || (type !== 'IP4' && type !== 'IP6') || !host) return refuse(`c=${excerpt(value)}`);
  return host;
}

/** `audio 49170 RTP/AVP 0 8 97`, `audio 49170/2 RTP/AVP 0`. */
function parseMedia(value: string): MediaDescription {
  const [type, port, protocol, ...formats] = value.split(/\s+/);
  const number = /^(\d+)(\/\d+)?$/.exec(port ?? '');
  if (!type || number === null || Number(number[1]) > 65535 || !protocol || formats.length === 0) {
    return refuse(`m=${excerpt(value)}`);
  }
  if (formats.length > MAX_FORMATS) refuse(`more than ${MAX_FORMATS} formats`);
  if (/^RTP\//.test(protocol) && !formats.every(isPayloadType)) refuse(`payload type in m=${excerpt(value)}`);
  return {
    type: type.toLowerCase(),
    port: Number(number[1]),
    protocol,
    formats,
    rtpMaps: new Map(),
    formatParameters: new Map(),
    attributes: [],
  };
}

/** Of RTP: seven bits. */
const PAYLOAD_TYPES: ReadonlySet<string> = new Set(Array.from({ length: 128 }, (_, type) => String(type)));
const isPayloadType = (text: string) => PAYLOAD_TYPES.has(text) || (/^\d{1,3}$/.test(text) && Number(text) <= 127);

function parseAttribute(session: SessionDescription, media: MediaDescription | undefined, line: string) {
  const colon = line.indexOf(':');
  const name = (colon < 0 ? line : line.slice(0, colon)).trim();
  const value = colon < 0 ? undefined : line.slice(colon + 1).trim();
  if (DIRECTIONS.has(name)) {
    (media ?? session).direction = name as Direction;
  } else if (media === undefined || !parseMediaAttribute(media, name, value ?? '')) {
    (media ?? session).attributes.push(value === undefined ? [name] : [name, value]);
  }
}

/** False for attributes that mean nothing here, or are of no use as they stand. */
function parseMediaAttribute(media: MediaDescription, name: string, value: string): boolean {
  switch (name) {
    case 'rtpmap': {
      // Nine digits of a clock rate, three of channels: a number that is written back as it was read.
      const map = /^(\d+)\s+([^/\s]+)\/(\d{1,9})(?:\/(\d{1,3}))?$/.exec(value);
      if (map === null || !isPayloadType(map[1]!)) return refuse(`a=rtpmap:${excerpt(value)}`);
      const codec: RtpMap = { name: map[2]!, clockRate: Number(map[3]), channels: Number(map[4] ?? 1) };
      media.rtpMaps.set(Number(map[1]), codec);
      return true;
    }
    case 'fmtp': {
      const parameters = /^(\d+)\s+(.*)$/.exec(value);
      if (parameters === null || !isPayloadType(parameters[1]!)) return false;
      media.formatParameters.set(Number(parameters[1]), parameters[2]!);
      return true;
    }
    case 'ptime':
    case 'maxptime': {
      // Some peers write `20.0`.
      const ms = Number(value);
      if (!(ms > 0 && ms <= 1000)) return false;
      media[name] = ms;
      return true;
    }
    case 'rtcp': {
      const port = /^(\d+)(?:\s|$)/.exec(value);
      if (port === null || Number(port[1]) === 0 || Number(port[1]) > 65535) return false;
      media.rtcpPort = Number(port[1]);
      return true;
    }
    case 'rtcp-mux':
      media.rtcpMux = true;
      return true;
    default:
      return false;
  }
}

const excerpt = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
