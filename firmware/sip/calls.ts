/** The calls of the user agent: how many there may be, and which of them a stranger means. */
import type { Call } from './contracts.ts';
import type { CallFacts } from './event/package.ts';
import { isMalformed, type Request } from './message/message.ts';
import type { IncomingCall } from './session/incoming.ts';
import type { OutgoingCall } from './session/outgoing.ts';
import { parseReplaces } from './session/replaces.ts';

/** Calls that have ended and still wait for the answer to their BYE, or for an ACK, 32 s at most. */
export const endedCallLimit = 64;

export class Calls {
  readonly #maxCalls: number;
  readonly #onChange: () => void;
  readonly #calls = new Set<IncomingCall | OutgoingCall>();

  /** `onChange`: one has been added, or has gone. */
  constructor(maxCalls: number, onChange: () => void) {
    this.#maxCalls = maxCalls;
    this.#onChange = onChange;
  }

  /** Those that have ended are counted until nothing of them is on the wire. */
  get size() {
    return this.#calls.size;
  }

  /** How others see them. */
  get facts(): readonly CallFacts[] {
    return [...this.#calls].map(({ facts }) => facts);
  }

  add(call: IncomingCall | OutgoingCall) {
    this.#calls.add(call);
    this.#onChange();
  }

  remove(call: IncomingCall | OutgoingCall) {
    this.#calls.delete(call);
    this.#onChange();
  }

  hangUp() {
    for (const call of [...this.#calls]) call.hangUp();
  }

  clear() {
    this.#calls.clear();
  }

  /** No more can be had; `spare`: nor so many above `maxCalls`. */
  isFull(spare = 0): boolean {
    const limit = this.#maxCalls + spare;
    if (this.#calls.size >= limit + endedCallLimit) return true;
    let count = 0;
    for (const { state } of this.#calls) if (state !== 'ended') count++;
    return count >= limit;
  }

  /** Whether its bytes hold the Call-ID of a call that goes on: it need not be read to be known. */
  own(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { id, state } of this.#calls) if (state !== 'ended' && buffer.includes(id)) return true;
    return false;
  }

  /** RFC 3891 §3: the call that an INVITE wants to take the place of, or the status that refuses it. */
  replacedBy({ headers }: Request): Call | number | undefined {
    if (!headers.has('Replaces')) return undefined;
    const replaces = parseReplaces(headers.get('Replaces') ?? '');
    if (headers.lines('Replaces') > 1 || isMalformed(replaces)) return 400;
    const identity = { callId: replaces.callId, localTag: replaces.toTag, remoteTag: replaces.fromTag };
    for (const call of this.#calls) {
      const phase = call.phaseOf(identity);
      if (phase === undefined) continue;
      if (call.state === 'ended') return 603;
      return phase === 'confirmed' && replaces.earlyOnly ? 486 : call;
    }
    return 481;
  }
}
