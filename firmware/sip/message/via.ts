/** `SIP/2.0/UDP host:port;branch=z9hG4bK…`: where a response goes (RFC 3261 §20.42, RFC 3581 for rport). */
import {
  isAll,
  type Parameters,
  parseParameters,
  printParameters,
  TOKEN,
  trimBlanks,
  upperCase,
  VISIBLE,
} from './grammar.ts';
import { isMalformed, type Malformed, malformed } from './message.ts';
import { remembering } from './remember.ts';
import { parseHostPort, printHostPort } from './uri.ts';

export interface Via {
  /** In upper case: UDP, TCP, TLS, … */
  readonly transport: string;
  /** sent-by; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** branch, rport, received (without brackets where it is IPv6), maddr, ttl, … */
  readonly parameters: Readonly<Parameters>;
}

/** What every branch of RFC 3261 begins with (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

// sent-protocol LWS sent-by ; sent-protocol = protocol-name SLASH protocol-version SLASH transport, blanks around "/"
const SENT = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+([^ \t].*)$/i;

export const parseVia = remembering(read);

function read(text: string): Via | Malformed {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const usual = usualSent(text, end);
  const sent = usual ?? SENT.exec(trimBlanks(text, 0, end));
  if (sent === null) return malformed(400, 'Bad Via');
  const sentBy = parseHostPort(usual === undefined ? withoutBlanksAroundColon(sent[2]!) : sent[2]!);
  if (isMalformed(sentBy)) return malformed(400, 'Bad sent-by in Via');
  const parameters = parseParameters(text, end);
  if (isMalformed(parameters)) return malformed(400, 'Bad parameter in Via');
  // RFC 5118 §4.5: received comes with and without brackets.
  const { received } = parameters;
  // A whole pair and no more: half of one, or two, would read as another value each time it is passed on.
  if (typeof received === 'string') parameters.received = received.replace(/^\[([^[\]]+)\]$/, '$1');
  return { transport: upperCase(sent[1]!), ...sentBy, parameters };
}

const USUAL = 'SIP/2.0/';

/** As SENT finds it, where it is written without blanks but the one; undefined where it is not. */
function usualSent(text: string, end: number): readonly [string, string, string] | undefined {
  if (!text.startsWith(USUAL)) return undefined;
  const blank = text.indexOf(' ', USUAL.length);
  if (blank < 0 || !isAll(TOKEN, text, USUAL.length, blank) || !isAll(VISIBLE, text, blank + 1, end)) return undefined;
  return [text, text.slice(USUAL.length, blank), text.slice(blank + 1, end)];
}

/** sent-by = host [ COLON port ], COLON = SWS ":" SWS: only here may a port stand apart. */
function withoutBlanksAroundColon(sentBy: string): string {
  const colon = sentBy.lastIndexOf(':');
  if (colon < 0 || !(sentBy.includes(' ') || sentBy.includes('\t'))) return sentBy;
  return `${trimBlanks(sentBy, 0, colon)}:${trimBlanks(sentBy, colon + 1)}`;
}

export const printVia = ({ transport, host, port, parameters }: Via) =>
  `SIP/2.0/${transport} ${printHostPort(host, port)}${printParameters(parameters)}`;
