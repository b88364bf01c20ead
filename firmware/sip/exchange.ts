/**
 * One request on its way: finds where it goes, tries the next address when one fails (RFC 3263 §4.3), answers
 * challenges (RFC 3261 §22), and tells its user the responses that remain.
 */
import type { Address } from '../lib/address.ts';
import { printAddress } from '../lib/address.ts';
import type { Account } from './account.ts';
import type { Core } from './core.ts';
import type { Tries } from './credentials.ts';
import { isMalformed, type Request, type Response } from './message/message.ts';
import { parseUri } from './message/uri.ts';
import type { ClientTransaction } from './transaction/client.ts';
import type { Failure } from './transaction/machine.ts';

/** Addresses of one host that are tried, in the resolver's order. */
const addressLimit = 4;

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
  prepare?: (request: Request, local: Address) => void;
  /** Provisional responses, then a final one; each copy of a 2xx to INVITE too. Never called before `start` returns. */
  onResponse(response: Response): void;
  /** Nobody answered. Never called before `start` returns. */
  onFailure(why: string): void;
}

export class Exchange {
  /** The request as it was sent last. */
  request: Request;
  readonly #core: Core;
  readonly #options: ExchangeOptions;
  readonly #tries: Tries = new Map();
  #addresses: readonly Address[] = [];
  #transaction: ClientTransaction | undefined;
  #cancelled = false;
  #settled = false;

  constructor(core: Core, options: ExchangeOptions) {
    this.#core = core;
    this.#options = options;
    this.request = options.request;
  }

  start() {
    const uri = parseUri(this.#options.nextHop);
    if (isMalformed(uri)) this.#fail(uri.why);
    else if (uri.scheme !== 'sip' || (uri.parameters.transport ?? 'udp').toString().toLowerCase() !== 'udp') {
      this.#fail(`${this.#options.nextHop}: only SIP over UDP can be reached`);
    } else {
      this.#core.resolve(uri.host, uri.port, (addresses, why) => {
        if (this.#settled) return;
        this.#addresses = addresses.slice(0, addressLimit);
        const [first] = this.#addresses;
        if (first === undefined) this.#fail(why ?? `${uri.host}: no address found`);
        else this.#send(first);
      });
    }
    return this;
  }

  /** Gives up an INVITE; its final response (487, or a 2xx that crossed) still comes. */
  cancel() {
    if (this.#cancelled || this.#settled) return;
    this.#cancelled = true;
    if (this.#transaction === undefined) this.#fail('cancelled');
    else this.#transaction.cancel();
  }

  #send(to: Address) {
    const { account, prepare } = this.#options;
    const request = { ...this.request, headers: this.request.headers.clone() };
    prepare?.(request, this.#core.transport.localFor(to));
    account?.credentials?.authorize(request, to);
    this.request = request;
    this.#transaction = this.#core.transactions.request(request, to, {
      onResponse: response => this.#receive(response, to),
      onFailure: failure => this.#lose(failure, to),
    });
  }

  #receive(response: Response, to: Address) {
    const { status } = response;
    if (!this.#settled && !this.#cancelled) {
      if ((status === 401 || status === 407) && this.#answers(response, to)) return this.#again(to);
      if (status === 503) {
        const next = this.#nextAddress(to);
        if (next !== undefined) return this.#again(next);
      }
    }
    if (status >= 200) this.#settled = true;
    this.#options.onResponse(response);
  }

  #answers(response: Response, to: Address) {
    return this.#options.account?.credentials?.challenged(response, this.request, to, this.#tries) ?? false;
  }

  #lose(failure: Failure, to: Address) {
    if (this.#settled) return;
    const next = this.#cancelled ? undefined : this.#nextAddress(to);
    if (next !== undefined) return this.#again(next);
    this.#settled = true;
    const what = failure === 'timeout' ? 'no answer from' : 'could not send to';
    this.#options.onFailure(`${what} ${printAddress(to)}`);
  }

  #again(to: Address) {
    this.request.headers.set('CSeq', `${this.#options.nextSequence()} ${this.request.method}`);
    this.#send(to);
  }

  #nextAddress(after: Address): Address | undefined {
    const index = this.#addresses.indexOf(after);
    return index < 0 ? undefined : this.#addresses[index + 1];
  }

  /** Tells of a failure that is known at once, but not before our caller has us. */
  #fail(why: string) {
    this.#settled = true;
    this.#core.clock.after(0, () => this.#options.onFailure(why), 'request not sent');
  }
}
