/** The subscriptions that we hold with others: whose a NOTIFY is (RFC 6665 §4.4.1). */
import type { Account } from '../account.ts';
import type { Core } from '../core.ts';
import type { Request } from '../message/message.ts';
import { stopAll } from '../stop-all.ts';
import { tagOf } from '../transaction/matching.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { SubscriptionHandler, SubscriptionOptions } from './contracts.ts';
import { Subscription } from './subscription.ts';

/** Subscriptions of ours at one time: a device that watches more desks than that is a telephone exchange. */
export const ownSubscriptionLimit = 64;
/** Not all in one instant, nor with every other device of the site. Milliseconds. */
const spreadMs = 2_000;

export class Subscriber {
  readonly #core: Core;
  readonly #open = new Set<Subscription>();
  /** Those whose account has yet to register → its id. */
  readonly #waiting = new Map<Subscription, string>();
  /** `Call-ID tag` → whose. */
  readonly #byKey = new Map<string, Subscription>();

  constructor(core: Core) {
    this.#core = core;
  }

  get size() {
    return this.#open.size;
  }

  /** Begins once the account is registered. The returned function ends it. Above the limit it fails at once, and is not tried again. */
  subscribe(account: Account | undefined, options: SubscriptionOptions, handler: SubscriptionHandler): () => void {
    if (this.#open.size >= ownSubscriptionLimit) {
      const why = `more than ${ownSubscriptionLimit} subscriptions`;
      this.#core.clock.after(0, () => handler.onState({ is: 'failed', why, retryMs: 0 }), 'subscription refused');
      return () => {};
    }
    let key: string | undefined;
    const subscription: Subscription = new Subscription({
      core: this.#core,
      options,
      handler,
      identify: next => {
        if (key !== undefined) this.#byKey.delete(key);
        key = next;
        if (next !== undefined) this.#byKey.set(next, subscription);
      },
    });
    this.#open.add(subscription);
    handler.onState({ is: 'asking' });
    if (account === undefined || account.isKnown) this.#start(subscription, account);
    else this.#waiting.set(subscription, account.settings.id);
    return () => {
      this.#waiting.delete(subscription);
      this.#open.delete(subscription);
      subscription.stop();
    };
  }

  #start(subscription: Subscription, account: Account | undefined) {
    subscription.start(account, spreadMs * this.#core.random.next());
  }

  /** An account is registered: `way` is it by the way that works. */
  registered(way: Account) {
    for (const [subscription, id] of this.#waiting) {
      if (id !== way.settings.id) continue;
      this.#waiting.delete(subscription);
      this.#start(subscription, way);
    }
  }

  /** The subscription that a NOTIFY belongs to. */
  find({ headers }: Request): Subscription | undefined {
    return this.#byKey.get(`${headers.get('Call-ID')} ${tagOf(headers.get('To'))}`);
  }

  serve(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    const subscription = request.method === 'NOTIFY' ? this.find(request) : undefined;
    subscription?.serve(transaction);
    return subscription !== undefined;
  }

  /** Each again now, with the Contact of now. */
  refresh() {
    for (const subscription of this.#open) subscription.refresh();
  }

  stop(done: () => void) {
    stopAll(this.#open, done);
    this.#open.clear();
    this.#waiting.clear();
  }
}
