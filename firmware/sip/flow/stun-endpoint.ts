/** STUN on the SIP port: answers Binding requests, sends ours and waits for what comes back (RFC 8489 §6, RFC 5626 §3.5.2). */
import { type Address, sameAddress } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Transport } from '../contracts.ts';
import type { Hop } from '../hop.ts';
import { bindingRefusal, bindingRequest, bindingSuccess, parseStun } from './stun.ts';

/** RTO of RFC 8489 §6.2.1; doubled after each sending. */
const firstWaitMs = 500;
/** Rc, which the RFC has as 7: after 15.5 s instead of 39.5 s nothing will come, and a door is to be reached again. */
const sendLimit = 5;
/** Rm: how many RTO are waited after the last sending. */
const lastWaits = 16;
/** Requests of ours at one time: one for each flow of each account. */
const askedLimit = 32;
/** Requests that are answered in one second, in all: an answer is longer than its request, and its sender is not proved. */
export const answersPerSecond = 50;

export type Asked = { answered: true; mapped: Address | undefined } | { answered: false };

interface Parts {
  clock: Clock;
  random: Random;
  transport: Transport;
}

export class StunEndpoint {
  readonly #parts: Parts;
  readonly #asked = new Map<string, { to: Hop; done: (result: Asked) => void; cancel: () => void }>();
  #secondEndsMs = 0;
  #answers = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Something that `isStun`. What nobody asked for is dropped. */
  receive(bytes: Uint8Array, from: Hop) {
    const message = parseStun(bytes);
    if (message?.is === 'request') this.#answer(message.id, message.unknown, from);
    else if (message !== undefined && message.is !== 'indication') this.#take(message.id, message.mapped, from);
  }

  /** Asks where we are seen. `done` is called once and not before this returns, unless the returned function is first. */
  ask(to: Hop, done: (result: Asked) => void): () => void {
    const { clock, random } = this.#parts;
    const id = random.token(12);
    const finish = (result: Asked) => {
      this.#asked.get(id)?.cancel();
      if (this.#asked.delete(id)) done(result);
    };
    const entry = { to, done: finish, cancel: () => {} };
    let sent = 0;
    const send = () => {
      sent++;
      this.#parts.transport.send(bindingRequest(id), to);
      const waitMs = sent < sendLimit ? firstWaitMs * 2 ** (sent - 1) : firstWaitMs * lastWaits;
      const next = sent < sendLimit ? send : () => finish({ answered: false });
      entry.cancel = clock.after(waitMs, next, 'STUN');
    };
    if (this.#asked.size >= askedLimit) entry.cancel = clock.after(0, () => finish({ answered: false }), 'STUN');
    this.#asked.set(id, entry);
    if (this.#asked.size <= askedLimit) send();
    return () => {
      entry.cancel();
      this.#asked.delete(id);
    };
  }

  /** Only from whom it was asked: a stranger would have to guess 96 bits as well. */
  #take(id: string, mapped: Address | undefined, from: Hop) {
    const asked = this.#asked.get(id);
    if (asked !== undefined && sameAddress(asked.to, from)) asked.done({ answered: true, mapped });
  }

  #answer(id: string, unknown: readonly number[], from: Hop) {
    const nowMs = this.#parts.clock.now();
    if (nowMs >= this.#secondEndsMs) {
      this.#secondEndsMs = nowMs + 1_000;
      this.#answers = 0;
    }
    if (++this.#answers > answersPerSecond) return;
    const { host, port } = from;
    this.#parts.transport.send(
      unknown.length > 0 ? bindingRefusal(id, unknown) : bindingSuccess(id, { host, port }),
      from,
    );
  }
}
