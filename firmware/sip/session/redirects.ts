/** Where a call goes after a 3xx: each place once, the likeliest first, and not for ever (RFC 3261 §8.1.3.4). */
import { isMalformed, type Response } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { parseUri, printUri, type SipUri, sameUri } from '../message/uri.ts';

export class Redirects {
  #left: number;
  readonly #tried: SipUri[] = [];
  #waiting: { uri: SipUri; q: number }[] = [];

  /** `limit`: how many INVITEs may follow the first. */
  constructor(target: string, limit: number) {
    this.#left = limit;
    const uri = parseUri(target);
    if (!isMalformed(uri)) this.#tried.push(uri);
  }

  /** The next target after a final failure response; undefined where the call has failed. */
  next(response: Response): string | undefined {
    if (response.status < 400) this.#take(response);
    // §21.6: nobody else will answer either.
    if (response.status >= 600 || this.#left === 0) return undefined;
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    this.#left--;
    this.#tried.push(next.uri);
    return printUri(next.uri);
  }

  #take({ headers }: Response) {
    for (const contact of headers.all('Contact')) {
      const parsed = parseNameAddress(contact);
      if (isMalformed(parsed)) continue;
      const uri = parseUri(parsed.uri);
      // Header fields in a URI (§19.1.5) are not taken over: a stranger could write into our INVITE.
      if (isMalformed(uri) || uri.headers !== undefined) continue;
      if (this.#tried.some(tried => sameUri(tried, uri)) || this.#waiting.some(other => sameUri(other.uri, uri)))
        continue;
      const q = Number(parsed.parameters.q ?? 1);
      this.#waiting.push({ uri, q: Number.isFinite(q) ? q : 0 });
    }
    // Sorting is stable: equal ones stay in their order.
    this.#waiting.sort((a, b) => b.q - a.q);
  }
}
