/** What a message must have before anybody looks at it (RFC 3261 §8.1.1, §8.2, §16.3, §20). */
import { parseCSeq } from './cseq.ts';
import { parseNumber } from './grammar.ts';
import { MAX_LIST_ELEMENTS } from './limits.ts';
import { isMalformed, type Malformed, type Message, malformed, type Request } from './message.ts';
import { parseNameAddress } from './name-addr.ts';
import { parseUri } from './uri.ts';
import { MAGIC_COOKIE, parseVia } from './via.ts';

/** RFC 3261 §8.1.1 asks for Max-Forwards too; clients of RFC 2543 have none, and a UAS can do without. */
const MANDATORY = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

/** Lists of addresses that the dialog and the transaction rely on. */
const ADDRESSES = ['Contact', 'Route', 'Record-Route'];

/** undefined: sound. Otherwise the first fault found, in the order of what a reader needs to answer. */
export function validate(message: Message): Malformed | undefined {
  const { headers } = message;
  for (const name of MANDATORY) if (!headers.has(name)) return malformed(400, `Missing ${name}`);
  const repeated = headers.repeated();
  if (repeated !== undefined) return malformed(400, `More than one ${repeated}`);

  const via = parseVia(headers.get('Via')!);
  if (isMalformed(via)) return via;
  const cseq = parseCSeq(headers.get('CSeq')!);
  if (isMalformed(cseq)) return cseq;
  // callid = word [ "@" word ]: whatever it holds, no blanks.
  const callId = headers.get('Call-ID')!;
  if (callId === '' || callId.includes(' ') || callId.includes('\t')) return malformed(400, 'Bad Call-ID');
  for (const name of ['From', 'To']) {
    if (isMalformed(parseNameAddress(headers.get(name)!))) return malformed(400, `Bad ${name}`);
  }
  if (message.kind === 'response') return undefined;

  // §8.2.1 of a branch: the cookie promises uniqueness that a bare one cannot give (RFC 4475 §3.2.1).
  if (via.parameters.branch === MAGIC_COOKIE) return malformed(400, 'Empty branch in Via');
  if (cseq.method !== message.method) return malformed(400, 'CSeq method does not match');
  return validateRequest(message);
}

function validateRequest({ uri, headers }: Request): Malformed | undefined {
  const maxForwards = headers.get('Max-Forwards');
  // §20.22: an integer in the range 0-255.
  if (maxForwards !== undefined && parseNumber(maxForwards, 255) === undefined)
    return malformed(400, 'Bad Max-Forwards');
  for (const name of ADDRESSES) {
    if (!headers.has(name)) continue;
    const values = headers.all(name);
    if (values.length > MAX_LIST_ELEMENTS) return malformed(400, `Too many ${name}`);
    for (const value of values) {
      if (value === '*' && name === 'Contact') continue;
      if (isMalformed(parseNameAddress(value))) return malformed(400, `Bad ${name}`);
    }
  }
  const target = parseUri(uri);
  if (isMalformed(target)) return target;
  // §19.1.1 table 1: headers are not allowed in a Request-URI.
  return target.headers === undefined ? undefined : malformed(400, 'Headers in Request-URI');
}
