/** Asks who sends a request for a password, and lets in who answers right (RFC 3261 §22.2, RFC 8760 §2.3). */
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { DigestServer } from './server.ts';

/** Who is challenged answers at once; a later answer is only asked once more. */
const nonceLifetimeMs = 60_000;
/** Each in a field of its own, the better first; telephones that know nothing newer take MD5. */
const algorithms = ['SHA-256', 'MD5'] as const;

export class Gate {
  readonly #digest: DigestServer;

  /** `passwords`: user name → password. */
  constructor(realm: string, passwords: ReadonlyMap<string, string>, parts: { clock: Clock; random: Random }) {
    const secretOf = (username: string) => {
      const password = passwords.get(username);
      return password === undefined ? undefined : { password };
    };
    this.#digest = new DigestServer({ realm, algorithms, nonceLifetimeMs, secretOf }, parts.clock, parts.random);
  }

  /** The user name; undefined where the request has been answered 401 or 400. */
  admit(transaction: ServerTransaction): string | undefined {
    const { headers, method, body } = transaction.request;
    const verdict = this.#digest.verify(headers.all('Authorization'), method, body);
    if (verdict.is === 'ok') return verdict.username;
    if (verdict.is === 'malformed') transaction.respond(400, { reason: verdict.why });
    else {
      const challenges = this.#digest.challenges(verdict.is === 'stale');
      transaction.respond(401, { headers: challenges.map(value => ['WWW-Authenticate', value] as const) });
    }
    return undefined;
  }
}
