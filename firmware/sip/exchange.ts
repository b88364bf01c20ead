/**
 * One request on its way: finds where it goes, tries the next server when one fails (RFC 3263 §4.3), answers
 * challenges (RFC 3261 §22), and tells its user the responses that remain.
 */
import type { Account } from './account.ts';
import type { Core } from './core.ts';
import type { Tries } from './credentials.ts';
import { type Hop, isReliable, printHop, sameHop } from './hop.ts';
import { parseNumber } from './message/grammar.ts';
import { isMalformed, type Request, type Response } from './message/message.ts';
import { printMessage } from './message/print.ts';
import { parseUri } from './message/uri.ts';
import type { ClientTransaction } from './transaction/client.ts';
import type { Failure } from './transaction/machine.ts';

/** A request above this goes over TCP where the path's MTU is not known (RFC 3261 §18.1.1). Bytes. */
export const datagramLimitBytes = 1_300;
/**
 * A server that says nothing for so long is passed over where there is another. Departs from RFC 3261 §17.1.1.2 and
 * RFC 3263 §4.3, which wait for timer B or F: nobody stands at a door for 32 s. Milliseconds.
 */
export const serverTimeoutMs = 4_000;
/** What the transaction layer adds: Via and User-Agent. Bytes. */
const layerRoomBytes = 160;

export interface ExchangeOptions {
  /** Complete but for Via, Authorization and what `prepare` adds. */
  request: Request;
  /** The URI whose host the request is sent to. */
  nextHop: string;
  /** Whose credentials answer a challenge. */
  account: Account | undefined;
  /** The number for CSeq when the request is sent once more in a new transaction (§8.1.3.5). */
  nextSequence: () => number;
  /** Adds what depends on our own address (Contact). Called before each sending. */
  prepare?: (request: Request, local: Hop) => void;
  /** Peers will reach us over the connection that it takes (REGISTER). */
  keepsConnection?: boolean;
  /** Provisional responses, then a final one; each copy of a 2xx to INVITE too. Never called before `start` returns. */
  onResponse(response: Response): void;
  /**
   * A 2xx to an INVITE from a server that was passed over: somebody has answered there too, and must be told that it
   * is over. Absent: INVITE waits for a silent server as long as timer B does.
   */
  onLate?(response: Response, request: Request): void;
  /** There is another way when all servers are silent: the last is waited for no longer than the others. */
  impatient?: boolean;
  /** Nobody answered. Never called before `start` returns. */
  onFailure(why: string): void;
}

export class Exchange {
  /** The request as it was sent last. */
  request: Request;
  readonly #core: Core;
  readonly #options: ExchangeOptions;
  readonly #tries: Tries = new Map();
  #hops: readonly Hop[] = [];
  #transaction: ClientTransaction | undefined;
  #cancelled = false;
  #settled = false;
  #stopWaiting = () => {};

  constructor(core: Core, options: ExchangeOptions) {
    this.#core = core;
    this.#options = options;
    this.request = options.request;
  }

  start() {
    const { nextHop, account } = this.#options;
    const uri = parseUri(nextHop);
    if (isMalformed(uri)) this.#fail(uri.why);
    else {
      this.#core.locator.locate(uri, account?.transport, (hops, why) => {
        if (this.#settled) return;
        this.#hops = this.#preferring(hops, account?.server);
        const [first] = this.#hops;
        if (first === undefined) this.#fail(why ?? `${uri.host}: no address found`);
        else this.#send(first);
      });
    }
    return this;
  }

  /** Where the request went last. */
  get to(): Hop | undefined {
    return this.#transaction?.to;
  }

  /** Gives up an INVITE; its final response (487, or a 2xx that crossed) still comes. `reason`: the value of Reason. */
  cancel(reason?: string) {
    if (this.#cancelled || this.#settled) return;
    this.#cancelled = true;
    this.#stopWaiting();
    if (this.#transaction === undefined) this.#fail('cancelled');
    else this.#transaction.cancel(reason);
  }

  /** Its outcome interests nobody any more: it is not sent to the next server, nor again. */
  abandon() {
    this.#settled = true;
    this.#stopWaiting();
    this.#transaction?.abandon();
  }

  #send(to: Hop) {
    const { account, prepare, keepsConnection } = this.#options;
    const request = { ...this.request, headers: this.request.headers.clone() };
    prepare?.(request, this.#core.transport.localFor(to));
    account?.credentials?.authorize(request, to);
    this.request = request;
    const hop = this.#bigEnoughFor(request, to);
    const over = keepsConnection ? { ...hop, keep: true } : hop;
    const transaction: ClientTransaction = this.#core.transactions.request(request, over, {
      onResponse: response => {
        if (transaction === this.#transaction) this.#receive(response, hop);
        else if (response.status >= 200 && response.status < 300) this.#options.onLate?.(response, transaction.request);
      },
      onFailure: (failure, why) => {
        if (transaction === this.#transaction) this.#lose(failure, hop, why);
      },
    });
    this.#transaction = transaction;
    this.#waitFor(transaction, hop);
  }

  /** Goes on to the next server where this one says nothing at all. */
  #waitFor(transaction: ClientTransaction, hop: Hop) {
    this.#stopWaiting();
    const { onLate, impatient = false } = this.#options;
    const next = this.#nextHop(hop);
    if ((next === undefined && !impatient) || (this.request.method === 'INVITE' && onLate === undefined)) return;
    const passOver = () => {
      this.#core.locator.avoid(hop);
      this.#transaction = undefined;
      transaction.abandon();
      if (next !== undefined) return this.#again(next);
      this.#settled = true;
      this.#options.onFailure(`no answer from ${printHop(hop)}`);
    };
    const limitMs = this.#core.settings.serverTimeoutMs ?? serverTimeoutMs;
    this.#stopWaiting = this.#core.clock.after(limitMs, passOver, 'silent server');
  }

  /**
   * The server that we are registered at comes first: only there are we known for sure. A new registration goes back to
   * one that DNS prefers, once it is no longer avoided.
   */
  #preferring(hops: readonly Hop[], registered: Hop | undefined): readonly Hop[] {
    const { locator } = this.#core;
    const at = registered === undefined ? -1 : hops.findIndex(hop => sameHop(hop, registered));
    const current = hops[at];
    if (current === undefined || locator.isAvoided(current)) return hops;
    const isBetter = (hop: Hop) => (hop.preference ?? 0) < (current.preference ?? 0) && !locator.isAvoided(hop);
    const better = this.request.method === 'REGISTER' ? hops.filter(isBetter) : [];
    return [...better, current, ...hops.filter(hop => hop !== current && !better.includes(hop))];
  }

  /** In how long a server that DNS prefers to the one that took the request is worth another try. Absent: there is none. */
  get preferredAgainMs(): number | undefined {
    const { to } = this;
    const used = this.#hops.find(hop => to !== undefined && sameHop(hop, to))?.preference ?? 0;
    const better = this.#hops.filter(({ preference = 0 }) => preference < used);
    const waits = better.map(hop => this.#core.locator.avoidedForMs(hop)).filter(ms => ms > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** The same place over TCP, once, for a request that may not fit into a datagram (§18.1.1). */
  #bigEnoughFor(request: Request, to: Hop): Hop {
    const { transport, locator } = this.#core;
    if (isReliable(to) || !transport.hasStreams) return to;
    // Departs from §18.1.1 where a person says so: a firewall that swallows TCP would delay each call for seconds.
    if (this.#options.account?.settings.transport === 'udp') return to;
    if (printMessage(request).length + layerRoomBytes <= datagramLimitBytes) return to;
    const over: Hop = { ...to, transport: 'tcp' };
    if (locator.isAvoided(over) || this.#hops.some(hop => sameHop(hop, over))) return to;
    // Where TCP is refused, the datagram is tried after all.
    const at = this.#hops.indexOf(to);
    this.#hops = this.#hops.toSpliced(at, 0, over);
    return over;
  }

  #receive(response: Response, to: Hop) {
    const { status } = response;
    this.#stopWaiting();
    if (status === 503) this.#core.locator.avoid(to, retryAfterOf(response));
    else this.#core.locator.trust(to);
    if (!this.#settled && !this.#cancelled) {
      if ((status === 401 || status === 407) && this.#answers(response, to)) return this.#again(to);
      if (status === 503) {
        const next = this.#nextHop(to);
        if (next !== undefined) return this.#again(next);
      }
    }
    if (status >= 200) this.#settled = true;
    this.#options.onResponse(response);
  }

  #answers(response: Response, to: Hop) {
    return this.#options.account?.credentials?.challenged(response, this.request, to, this.#tries) ?? false;
  }

  #lose(failure: Failure, to: Hop, why: string | undefined) {
    if (this.#settled) return;
    this.#stopWaiting();
    if (!this.#cancelled) this.#core.locator.avoid(to);
    const next = this.#cancelled ? undefined : this.#nextHop(to);
    if (next !== undefined) return this.#again(next);
    this.#settled = true;
    const what = failure === 'timeout' ? 'no answer from' : 'could not send to';
    this.#options.onFailure(`${what} ${printHop(to)}${why === undefined ? '' : `: ${why}`}`);
  }

  #again(to: Hop) {
    this.request.headers.set('CSeq', `${this.#options.nextSequence()} ${this.request.method}`);
    this.#send(to);
  }

  #nextHop(after: Hop): Hop | undefined {
    const index = this.#hops.indexOf(after);
    return index < 0 ? undefined : this.#hops[index + 1];
  }

  /** Tells of a failure that is known at once, but not before our caller has us. */
  #fail(why: string) {
    this.#settled = true;
    this.#core.clock.after(0, () => this.#options.onFailure(why), 'request not sent');
  }
}

/** How long a 503 wants to be left alone (§21.5.4). */
export function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = parseNumber(headers.get('Retry-After')?.split(/[ ;(]/, 1)[0] ?? '', 2 ** 31);
  return seconds === undefined ? undefined : 1000 * seconds;
}
