/** What a person wants to know of a SIP message, in a few words. Pure. */
import { parseSdp } from '../../sdp/parse.ts';
import type { MediaDescription } from '../../sdp/types.ts';
import { isMalformed, type Message, type Request, type Response } from '../../sip/message/message.ts';
import { parseNameAddress } from '../../sip/message/name-addr.ts';
import { reasonPhrase } from '../../sip/message/status.ts';
import { parseUri } from '../../sip/message/uri.ts';
import type { Seen } from './seen.ts';

/** What stands on the arrow: `INVITE`, `180 Ringing`. */
export function labelOf({ is, message, bytes }: Seen): string {
  if (is === 'keep-alive') return 'keep-alive';
  // A faulty response has a status all the same.
  if (message === undefined) return /^SIP\/2\.0 (\d{3} ?[^\r\n]*)/i.exec(bytes.toString('latin1'))?.[1] ?? 'unreadable';
  if (message.kind === 'request') return message.method;
  return `${message.status} ${message.reason === '' ? reasonPhrase(message.status) : message.reason}`;
}

/** What stands beside it, most telling first. */
export function factsOf({ is, message, why, again, method, bytes }: Seen): string[] {
  if (is === 'keep-alive') return [];
  const wrong = is === 'malformed' ? [why ?? 'cannot be read'] : [];
  if (message === undefined) return [...wrong, `${bytes.length} bytes`];
  const told = message.kind === 'request' ? request(message) : response(message, method);
  return [...wrong, ...(again ? ['sent again'] : []), ...told].filter(fact => fact !== '');
}

function request(message: Request): string[] {
  const { method, headers } = message;
  const field = (name: string) => headers.get(name);
  const authorized = headers.has('Authorization') || headers.has('Proxy-Authorization') ? ['with credentials'] : [];
  switch (method) {
    case 'INVITE':
      return [`${user(field('From'))} → ${user(field('To'))}`, ...sound(message), ...authorized];
    case 'REGISTER':
      return [
        user(field('To')),
        /^\s*0\s*$/.test(field('Expires') ?? '') ? 'away' : seconds('for', field('Expires')),
        ...authorized,
      ];
    case 'BYE':
    case 'CANCEL':
      return [field('Reason') === undefined ? '' : reasonText(field('Reason')!)];
    case 'ACK':
    case 'PRACK':
    case 'UPDATE':
      return sound(message);
    case 'NOTIFY':
    case 'SUBSCRIBE':
    case 'PUBLISH':
      return [field('Event') ?? '', field('Subscription-State') ?? '', ...authorized];
    case 'REFER':
      return [`to ${user(field('Refer-To'))}`];
    case 'INFO':
      // Which key is not told: keys open doors.
      return [/^\s*application\/dtmf/i.test(field('Content-Type') ?? '') ? 'a key' : (field('Content-Type') ?? '')];
    default:
      return [`${user(field('From'))} → ${user(field('To'))}`, ...authorized];
  }
}

function response(message: Response, method: string | undefined): string[] {
  const { status, headers } = message;
  const answers = method === undefined ? '' : method;
  const field = (name: string) => headers.get(name);
  if (status === 401 || status === 407) {
    const challenge = field(status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate') ?? '';
    const realm = /realm\s*=\s*"([^"]*)"/i.exec(challenge)?.[1];
    const stale = /stale\s*=\s*"?true/i.test(challenge) ? 'nonce too old' : '';
    return [answers, realm === undefined ? 'wants credentials' : `wants credentials of ${realm}`, stale];
  }
  if (status >= 300 && status < 400) return [answers, `go to ${user(field('Contact'))}`];
  if (status === 423) return [answers, seconds('at least', field('Min-Expires'))];
  const granted = method === 'REGISTER' && status < 300 ? seconds('for', expiresOf(message)) : '';
  const why = status < 300 ? '' : (field('Warning')?.match(/"([^"]*)"/)?.[1] ?? '');
  const reason = status < 300 || field('Reason') === undefined ? '' : reasonText(field('Reason')!);
  return [answers, granted, why, reason, seconds('again in', field('Retry-After')), ...sound(message)];
}

const expiresOf = ({ headers }: Response) =>
  /;\s*expires\s*=\s*(\d+)/i.exec(headers.get('Contact') ?? '')?.[1] ?? headers.get('Expires');

const seconds = (word: string, value: string | undefined) => {
  const number = /^\s*(\d+)/.exec(value ?? '')?.[1];
  return number === undefined ? '' : `${word} ${number} s`;
};

/** RFC 3326: `SIP;cause=200;text="Call completed elsewhere"`. */
const reasonText = (value: string) =>
  /text\s*=\s*"([^"]*)"/i.exec(value)?.[1] ?? /cause\s*=\s*(\d+)/i.exec(value)?.[0] ?? value;

/** `front`, or the host where nobody is named. */
function user(field: string | undefined): string {
  const party = parseNameAddress(field ?? '');
  if (isMalformed(party)) return '?';
  const uri = parseUri(party.uri);
  if (isMalformed(uri)) return party.uri;
  return uri.user === undefined || uri.user === '' ? uri.host : uri.user;
}

/** The codecs of a session description, and whether the sound goes one way only. */
function sound(message: Message): string[] {
  if (!/^\s*application\/sdp\b/i.test(message.headers.get('Content-Type') ?? '') || message.body.length === 0)
    return [];
  const session = parseSdp(message.body);
  if ('malformed' in session) return [`SDP: ${session.malformed}`];
  const audio = session.media.find(({ type }) => type === 'audio');
  if (audio === undefined) return ['no sound'];
  if (audio.port === 0) return ['sound refused'];
  const direction = audio.direction ?? session.direction ?? 'sendrecv';
  const onHold = (audio.host ?? session.host) === '0.0.0.0';
  return [codecs(audio), onHold ? 'on hold (0.0.0.0)' : direction === 'sendrecv' ? '' : direction];
}

/** RFC 3551 §6, as far as anybody sends them. */
const STATIC: Readonly<Record<string, string>> = { 0: 'PCMU', 3: 'GSM', 8: 'PCMA', 9: 'G722', 18: 'G729' };

const codecs = ({ formats, rtpMaps, protocol }: MediaDescription) =>
  formats
    .map(format => rtpMaps.get(Number(format))?.name ?? STATIC[format] ?? format)
    .filter(name => !/^(?:telephone-event|CN)$/i.test(name))
    .slice(0, 4)
    .join('/') + (/SAVP/.test(protocol) ? ' encrypted' : '');
