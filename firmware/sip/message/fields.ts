/** The header fields we know by name: how they are written, their compact forms, and which may be lists. */

export interface Field {
  /** As RFC 3261 §20 writes it, or as the peer wrote it where we do not know it. */
  readonly name: string;
  /** Lower-case: names are compared without case (§7.3.1). */
  readonly key: string;
  /** Several values may share one line, separated by commas (§7.3.1: the grammar is `#(value)`). */
  readonly list: boolean;
  /** A message has it once or not at all (§7.3.1; RFC 4475 §3.3.8, §3.3.9). */
  readonly once: boolean;
}

// RFC 3261 §7.3.1 names the four authentication fields that have commas and yet must not be combined.
const SINGLE = `Answer-Mode Authorization Authentication-Info Call-ID Content-Disposition Content-Length Content-Type
  CSeq Date Event Expires From Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Auto-Answer
  Priority Priv-Answer-Mode Proxy-Authenticate Proxy-Authorization RAck Refer-To Referred-By Replaces
  Reply-To Retry-After RSeq Server Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State
  Timestamp To User-Agent WWW-Authenticate X-AUTOANSWER`;

const LISTS = `Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Call-Info Contact
  Content-Encoding Content-Language Diversion Error-Info History-Info In-Reply-To P-Access-Network-Info
  P-Asserted-Identity P-Associated-URI P-Preferred-Identity Path Privacy Proxy-Require Reason Record-Route
  Reject-Contact Require Route Security-Client Security-Server Security-Verify Service-Route Supported Unsupported Via
  Warning`;

const ONCE = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Type', 'Content-Length', 'Expires'];

/** RFC 3261 §7.3.3 and §20, and the compact forms of later RFCs in the IANA registry. */
const COMPACT: Record<string, string> = {
  a: 'Accept-Contact', // RFC 3841
  b: 'Referred-By', // RFC 3892
  c: 'Content-Type',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact', // RFC 3841
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  o: 'Event', // RFC 6665
  r: 'Refer-To', // RFC 3515
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events', // RFC 6665
  v: 'Via',
  x: 'Session-Expires', // RFC 4028
};

/** Spellings met so often that they are found without changing case first. */
const known = new Map<string, Field>();

function learn(names: string, list: boolean) {
  for (const name of names.split(/\s+/)) {
    const field: Field = { name, key: name.toLowerCase(), list, once: ONCE.includes(name) };
    for (const spelling of [name, field.key, name.toUpperCase()]) known.set(spelling, field);
  }
}
learn(SINGLE, false);
learn(LISTS, true);
for (const [letter, name] of Object.entries(COMPACT)) {
  known.set(letter, known.get(name)!);
  known.set(letter.toUpperCase(), known.get(name)!);
}

/** The field of a name that is written as most write it; undefined for any other, known or not. */
export const usualField = (name: string): Field | undefined => known.get(name);

/** The field of a name in any case, long or compact. */
export function fieldOf(name: string): Field {
  const field = known.get(name);
  if (field !== undefined) return field;
  const key = name.toLowerCase();
  return known.get(key) ?? { name, key, list: false, once: false };
}
