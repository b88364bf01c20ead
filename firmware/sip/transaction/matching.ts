/** Which transaction a message belongs to: RFC 3261 §17.1.3 and §17.2.3, and merged requests (§8.2.2.2). */
import { lowerCase } from '../message/grammar.ts';
import { isMalformed, type Request, type Response } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { MAGIC_COOKIE, parseVia } from '../message/via.ts';

/**
 * §17.1.3: the branch that we chose, and the method of CSeq (a CANCEL shares the branch of its INVITE); of a request of
 * ours and of its responses. Undefined for a response that cannot be for us.
 */
export function clientKeyOf(message: Request | Response): string | undefined {
  const vias = message.headers.all('Via');
  // §8.1.3.3: with a second Via it was meant for somebody else.
  if (vias.length !== 1) return undefined;
  const branch = branchOf(vias[0]!);
  return branch === undefined ? undefined : `${branch} ${methodOfCSeq(message)}`;
}

/**
 * §17.2.3. `method` is that of the transaction: an ACK looks for its INVITE, and so does a CANCEL. Without the magic
 * cookie the key is made of what RFC 2543 compared. The tag in To is left out there: the INVITE had none and its ACK
 * has ours. Joined, and so a string of its own: a piece of a message would hold the whole of it in memory.
 */
export function serverKey(request: Request, method: string): string {
  const via = request.headers.get('Via') ?? '';
  const parsed = parseVia(via);
  if (!isMalformed(parsed)) {
    const { branch } = parsed.parameters;
    if (typeof branch === 'string' && branch.startsWith(MAGIC_COOKIE)) {
      return [branch, lowerCase(parsed.host), parsed.port ?? '', method].join(' ');
    }
  }
  const { headers } = request;
  const sequence = headers.get('CSeq')?.split(/\s/, 1)[0];
  return [request.uri, tagOf(headers.get('From')), headers.get('Call-ID'), sequence, via, method].join(' ');
}

/** §8.2.2.2: two requests with this in common and different branches took different ways to us. */
export const mergeKey = ({ headers }: Request) =>
  [headers.get('Call-ID'), tagOf(headers.get('From')), headers.get('CSeq')].join(' ');

/** The tag of a From or To value. */
export function tagOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const parsed = parseNameAddress(value);
  if (isMalformed(parsed)) return undefined;
  const { tag } = parsed.parameters;
  return typeof tag === 'string' ? tag : undefined;
}

const methodOfCSeq = ({ headers }: Request | Response) => headers.get('CSeq')?.trim().split(/\s+/)[1] ?? '';

function branchOf(via: string): string | undefined {
  const parsed = parseVia(via);
  if (isMalformed(parsed)) return undefined;
  const { branch } = parsed.parameters;
  return typeof branch === 'string' ? branch : undefined;
}
