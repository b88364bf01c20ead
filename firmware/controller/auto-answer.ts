/**
 * Whether a caller asks for the call to be answered by itself, and in which words: every vendor has its own. All are
 * compared without case. Whether it may is decided in `answer-rules`.
 */
import type { IncomingInvite } from '../sip/contracts.ts';
import { numberMatches } from '../sip/message/tel.ts';
import { isAnonymous } from './who-calls.ts';

export interface AutoAnswerRequest {
  /** Ring this long first. Milliseconds. */
  afterMs: number;
  /** The words that asked, for the log. */
  asked: string;
  /** Rather no call than one that rings (RFC 5373 `;require`). */
  insists: boolean;
}

/** What of an INVITE asks. */
export type Asking = Pick<IncomingInvite, 'header' | 'uriParameters'>;

/** A caller may make us ring at most this long before we answer: longer is a mistake. Milliseconds. */
const LONGEST_DELAY_MS = 60_000;

const seconds = (text: string | undefined) => Math.min(Number(text ?? 0) * 1000, LONGEST_DELAY_MS);

const ANSWER_AFTER = /(?:^|[;\s])answer-after\s*=\s*"?(\d{1,3})"?/i;
const ALERT_AUTOANSWER = /(?:^|[;\s<])info\s*=\s*"?alert-autoanswer"?(?:.*;\s*delay\s*=\s*(\d{1,3}))?/i;
const YES = /^\s*(?:normal|true|yes|on|1)\s*$/i;

/**
 * Header field, what its value must match, and how long to ring first (capture group 1, seconds). The first that fits
 * counts: where several ask at once, as FreePBX does, `answer-after` wins (AudioCodes).
 */
const CONVENTIONS: readonly { field: string; matches: RegExp }[] = [
  // `<sip:host>;answer-after=0`: snom, Linksys, Grandstream, AudioCodes, Gigaset, baresip.
  { field: 'Call-Info', matches: ANSWER_AFTER },
  // `answer-after=0`: Yealink.
  { field: 'Alert-Info', matches: ANSWER_AFTER },
  // `<uri>;info=alert-autoanswer;delay=0`: Gigaset.
  { field: 'Call-Info', matches: ALERT_AUTOANSWER },
  // The same, or bare `info=alert-autoanswer`: snom, baresip, Aastra, Mitel, Yealink, AudioCodes.
  { field: 'Alert-Info', matches: ALERT_AUTOANSWER },
  // `Ring Answer`: Polycom, AudioCodes, FreePBX. `Auto Answer`: Yealink.
  { field: 'Alert-Info', matches: /\b(?:ring|auto)[ -]answer\b/i },
  // RFC 5373 §4.
  { field: 'Priv-Answer-Mode', matches: /^\s*auto\b/i },
  { field: 'Answer-Mode', matches: /^\s*auto\b/i },
  // `<sip:autoanswer=yes>` and `X-AUTOANSWER: TRUE`: click-to-call programs.
  { field: 'Call-Info', matches: /<sips?:autoanswer\s*=\s*(?:yes|true)\s*>/i },
  { field: 'X-AUTOANSWER', matches: YES },
  // `normal`: Asterisk dial plans.
  { field: 'P-Auto-Answer', matches: YES },
];

/** Most INVITEs have none of these. */
const FIELDS: readonly string[] = [...new Set(CONVENTIONS.map(({ field }) => field))];

const MODE_FIELDS = ['Priv-Answer-Mode', 'Answer-Mode'] as const;

/** What the request asks for, or undefined where it asks for nothing of the kind. */
export function autoAnswerAsked(invite: Asking): AutoAnswerRequest | undefined {
  // The request URI of FreePBX, Yealink, snom.
  const { intercom } = invite.uriParameters;
  const byUri = typeof intercom === 'string' && intercom.toLowerCase() === 'true';
  if (!byUri && FIELDS.every(field => invite.header(field).length === 0)) return undefined;
  const modes = MODE_FIELDS.flatMap(field => invite.header(field));
  // RFC 5373 §4: somebody is to answer by hand, whatever a proxy on the way has added.
  if (modes.some(mode => /^\s*manual\b/i.test(mode))) return undefined;
  const insists = modes.some(mode => /^\s*auto\b.*;\s*require\s*(?:;|$)/i.test(mode));
  for (const { field, matches } of CONVENTIONS) {
    for (const value of invite.header(field)) {
      const hit = matches.exec(value);
      if (hit !== null) return { afterMs: seconds(hit[1]), asked: `${field}: ${value}`, insists };
    }
  }
  return byUri ? { afterMs: 0, asked: ';intercom=true', insists } : undefined;
}

/** The caller wants to be told how the call was answered (RFC 5373 §4). */
export const asksForMode = (invite: Asking) => MODE_FIELDS.some(field => invite.header(field).length > 0);

/**
 * `*` any caller, `*@example.org` any user of a host, `sip:desk@example.org` one caller, `tel:+4930*` numbers. Hosts are
 * compared without case (RFC 3261 §19.1.4), ports and parameters are not looked at. Who does not tell is only `*`.
 */
export function callerMatches(pattern: string, uri: string): boolean {
  if (pattern === '*') return true;
  if (isAnonymous(uri)) return false;
  if (/^tel:/i.test(pattern)) return numberMatches(pattern, uri);
  const wanted = split(pattern);
  const caller = split(uri);
  if (wanted === undefined || caller === undefined) return false;
  return (wanted.user === '*' || wanted.user === caller.user) && (wanted.host === '*' || wanted.host === caller.host);
}

function split(text: string) {
  const parts = /^(?:sips?:)?(?:([^@;?]+)@)?(\[[^\]]+\]|[^:;?>]+)/i.exec(text.trim());
  return parts === null ? undefined : { user: parts[1] ?? '', host: parts[2]!.toLowerCase() };
}
