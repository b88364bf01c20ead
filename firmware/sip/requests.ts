/** What becomes of a request that comes in: served by its dialog, or by its method, or refused (RFC 3261 §8.2). */
import type { Core } from './core.ts';
import { unknownExtensions } from './extensions.ts';
import { type Hop, printHop } from './hop.ts';
import type { Request } from './message/message.ts';
import { tagOf } from './transaction/matching.ts';
import type { Reply } from './transaction/reply.ts';
import type { ServerTransaction } from './transaction/server.ts';

/** Methods of ours; with those that are served outside dialogs they stand in Allow. */
const ownMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'];

/** Answers a request outside any dialog, with `transaction.respond`. */
export type RequestHandler = (transaction: ServerTransaction) => void;

export class Requests {
  readonly #core: Core;
  readonly #servesSubscription: (transaction: ServerTransaction) => boolean;
  /** Method → who serves it outside any dialog. */
  readonly #outside = new Map<string, RequestHandler>();

  #allow: string | undefined;

  /** `servesSubscription`: a request with a tag of ours may belong to a subscription that has no dialog yet. */
  constructor(core: Core, servesSubscription: (transaction: ServerTransaction) => boolean) {
    this.#core = core;
    this.#servesSubscription = servesSubscription;
  }

  /** Who serves a method outside dialogs from now on. */
  on(method: string, handler: RequestHandler) {
    this.#outside.set(method, handler);
    this.#allow = undefined;
  }

  /** Those that are served, as the value of Allow. */
  get allow(): string {
    this.#allow ??= [...new Set([...ownMethods, ...this.#outside.keys()])].join(', ');
    return this.#allow;
  }

  /** In the order of §8.2. */
  serve(transaction: ServerTransaction) {
    const { request } = transaction;
    const { method, headers } = request;
    const serve = this.#outside.get(method);
    if (serve === undefined && !ownMethods.includes(method)) {
      return this.reject(transaction, 405, { headers: [['Allow', this.allow]] });
    }
    const unknown = unknownExtensions(request);
    if (unknown.length > 0) {
      return this.reject(transaction, 420, { headers: [['Unsupported', unknown.join(', ')]] });
    }
    if (tagOf(headers.get('To')) !== undefined) {
      const owner = this.#core.dialogs.find(request);
      if (owner !== undefined && method === 'MESSAGE' && serve !== undefined) return serve(transaction);
      if (owner !== undefined) return owner.onRequest(transaction);
      if (this.#servesSubscription(transaction)) return;
      this.#core.counters.strayMessages++;
      return this.reject(transaction, 481);
    }
    if (serve !== undefined) serve(transaction);
    else this.reject(transaction, 481);
  }

  /** An ACK to a 2xx; that to another response ends in its transaction. */
  acknowledge(ack: Request, source: Hop) {
    const owner = this.#core.dialogs.find(ack);
    if (owner !== undefined) return owner.onAck(ack);
    this.#core.counters.strayMessages++;
    this.#core.log.debug('stray message', { what: 'ACK', from: printHop(source) });
  }

  reject(transaction: ServerTransaction, status: number, reply?: Reply) {
    this.#core.counters.rejectedRequests++;
    transaction.respond(status, reply);
  }
}
