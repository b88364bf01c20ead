/** Answers digest challenges for one account, and remembers them: the next request is authorized at once (RFC 7616 §3.6). */
import { type Address, printAddress } from '../lib/address.ts';
import type { Random } from '../lib/random.ts';
import { answerChallenge } from './digest/client.ts';
import type { Request, Response } from './message/message.ts';
import type { Login } from './settings.ts';

/** Challenges remembered for one account: one for each realm of each server. */
export const rememberedLimit = 8;
/** How often one request is sent again because its nonce was stale. */
const staleLimit = 3;
/** How often one request is sent again in all: a server could think of a new realm each time. */
const answerLimit = 6;

interface Known {
  challenges: readonly string[];
  server: string;
  field: 'Authorization' | 'Proxy-Authorization';
  /** How often the nonce has been used. */
  count: number;
}

/** What one request has tried so far: key of the challenge → number of answers. Starts empty. */
export type Tries = Map<string, number>;

export class Credentials {
  readonly #username: string;
  readonly #password: string | undefined;
  readonly #logins: readonly Login[];
  readonly #random: Random;
  readonly #known = new Map<string, Known>();

  /** `username` and `password` are for the realms that none of `logins` is for; without password nobody there. */
  constructor(username: string, password: string | undefined, random: Random, logins: readonly Login[] = []) {
    this.#username = username;
    this.#password = password;
    this.#logins = logins;
    this.#random = random;
  }

  /** Puts into a request what this server is known to ask for. */
  authorize(request: Request, to: Address) {
    const server = printAddress(to);
    request.headers.remove('Authorization');
    request.headers.remove('Proxy-Authorization');
    for (const known of this.#known.values()) {
      if (known.server !== server) continue;
      known.count++;
      const answer = this.#answer(known.challenges, request, known.count);
      if (answer !== undefined) request.headers.add(known.field, answer.header);
    }
  }

  /**
   * Takes the challenges of a 401 or 407. True where the request is worth sending again: once for each realm, and a
   * few times more where the server only calls the nonce stale (RFC 3261 §22.2, §22.3).
   */
  challenged(response: Response, request: Request, from: Address, tries: Tries): boolean {
    const isProxy = response.status === 407;
    const challenges = response.headers.all(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    const answer = this.#answer(challenges, request, 1);
    if (answer === undefined) return false;
    const server = printAddress(from);
    const key = `${response.status} ${server} ${answer.realm}`;
    const tried = tries.get(key) ?? 0;
    const total = [...tries.values()].reduce((sum, count) => sum + count, 0);
    tries.set(key, tried + 1);
    const worthwhile = total < answerLimit && (tried === 0 || (answer.stale && tried < staleLimit));
    // Newest last; a wrong password is not remembered.
    this.#known.delete(key);
    if (!worthwhile) return false;
    this.#known.set(key, { challenges, server, field: isProxy ? 'Proxy-Authorization' : 'Authorization', count: 0 });
    if (this.#known.size > rememberedLimit) this.#known.delete(this.#known.keys().next().value!);
    return true;
  }

  #answer(challenges: readonly string[], request: Request, nonceCount: number) {
    return answerChallenge({
      challenges,
      method: request.method,
      uri: request.uri,
      username: this.#username,
      password: this.#password,
      logins: this.#logins,
      cnonce: this.#random.token(8),
      nonceCount,
      body: request.body,
    });
  }
}
