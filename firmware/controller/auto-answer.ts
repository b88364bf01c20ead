/**
 * Whether a caller asks for the call to be answered by itself, and whether it may. Vendors ask in different words;
 * all are compared without case. Off unless the caller is on the allow list and comes from a trusted address.
 */
import type { IncomingInvite } from '../sip/contracts.ts';

export interface AutoAnswerRequest {
  /** Ring this long first. Milliseconds. */
  afterMs: number;
  /** The words that asked, for the log. */
  asked: string;
}

/** A caller may make us ring at most this long before we answer: longer is a mistake. Milliseconds. */
const LONGEST_DELAY_MS = 60_000;

const seconds = (text: string | undefined) => Math.min(Number(text ?? 0) * 1000, LONGEST_DELAY_MS);

/** Header field, what its value must match, and how long to ring first (capture group 1, seconds). */
const CONVENTIONS: readonly { field: string; matches: RegExp }[] = [
  // `Call-Info: <sip:host>;answer-after=0`: snom, Linksys, Grandstream, AudioCodes, Gigaset, baresip.
  { field: 'Call-Info', matches: /(?:^|[;\s])answer-after\s*=\s*"?(\d{1,3})"?/i },
  { field: 'Call-Info', matches: /;\s*info\s*=\s*"?alert-autoanswer"?(?:.*;\s*delay\s*=\s*(\d{1,3}))?/i },
  { field: 'Alert-Info', matches: /info\s*=\s*"?alert-autoanswer"?(?:.*;\s*delay\s*=\s*(\d{1,3}))?/i },
  { field: 'Alert-Info', matches: /(?:^|[;\s])answer-after\s*=\s*"?(\d{1,3})"?/i },
  // Polycom and FreePBX.
  { field: 'Alert-Info', matches: /\b(?:ring answer|auto answer)\b/i },
  // RFC 5373 §4.
  { field: 'Answer-Mode', matches: /^\s*auto\b/i },
];

/** What the request asks for, or undefined where it asks for nothing of the kind. */
export function autoAnswerAsked(
  invite: Pick<IncomingInvite, 'header' | 'uriParameters'>,
): AutoAnswerRequest | undefined {
  for (const { field, matches } of CONVENTIONS) {
    for (const value of invite.header(field)) {
      const hit = matches.exec(value);
      if (hit !== null) return { afterMs: seconds(hit[1]), asked: `${field}: ${value}` };
    }
  }
  if (String(invite.uriParameters.intercom ?? '').toLowerCase() === 'true')
    return { afterMs: 0, asked: ';intercom=true' };
  return undefined;
}

/**
 * `*` any caller, `*@example.org` any user of a host, `sip:desk@example.org` one caller. Hosts are compared without
 * case (RFC 3261 §19.1.4), ports and parameters are not looked at.
 */
export function callerMatches(pattern: string, uri: string): boolean {
  if (pattern === '*') return true;
  const wanted = split(pattern);
  const caller = split(uri);
  if (wanted === undefined || caller === undefined) return false;
  return (wanted.user === '*' || wanted.user === caller.user) && (wanted.host === '*' || wanted.host === caller.host);
}

function split(text: string) {
  const parts = /^(?:sips?:)?(?:([^@;?]+)@)?(\[[^\]]+\]|[^:;?>]+)/i.exec(text.trim());
  return parts === null ? undefined : { user: parts[1] ?? '', host: parts[2]!.toLowerCase() };
}
