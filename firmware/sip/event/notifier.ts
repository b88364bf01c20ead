/** SUBSCRIBE to what this device does: who may is told now, and whenever it changes (RFC 6665 §4.2). */
import type { Account } from '../account.ts';
import type { Authority } from '../authority.ts';
import { type Core, contactAt } from '../core.ts';
import { contactOf, Dialog } from '../dialog/dialog.ts';
import type { DialogOwner } from '../dialog/table.ts';
import { parseNumber } from '../message/grammar.ts';
import type { Request } from '../message/message.ts';
import { optionsReply } from '../options.ts';
import type { Reply } from '../transaction/reply.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { allowEvents, eventOf, packages } from './event.ts';
import type { Facts, Package } from './package.ts';
import { ServedSubscription } from './served-subscription.ts';

/**
 * Subscriptions at one time. Above it the one with the least time left goes: that of a telephone which has restarted
 * and asked again is among them, and who is still there asks again later.
 */
export const subscriptionLimit = 32;
/** With those that still say that they are over: one more is answered 503. */
const heldLimit = 2 * subscriptionLimit;
/** What is granted: shorter is refused with 423, longer is cut. Seconds. */
export const [leastExpiresS, mostExpiresS] = [60, 3_600];

export interface NotifierUser {
  /** What there is to tell about an account, or about the whole device. */
  facts(account: Account | undefined, entity: string): Facts;
  /** Refused, whatever the reason. */
  onRefused(): void;
}

export class Notifier {
  readonly #core: Core;
  readonly #authority: Authority;
  readonly #user: NotifierUser;
  readonly #subscriptions = new Set<ServedSubscription>();
  /** Those whose last NOTIFY is still on its way count too. */
  #whenEmpty: (() => void) | undefined;
  #cancelTelling: (() => void) | undefined;

  constructor(core: Core, authority: Authority, user: NotifierUser) {
    this.#core = core;
    this.#authority = authority;
    this.#user = user;
  }

  get size() {
    return this.#subscriptions.size;
  }

  /** SUBSCRIBE outside any dialog. */
  serve(transaction: ServerTransaction, account: Account | undefined) {
    const { request, source } = transaction;
    const { name } = eventOf(request);
    const found = packages.find(each => each.name === name);
    // §4.2.1.1, in its order.
    if (found === undefined) return this.#refuse(transaction, 489, { headers: [['Allow-Events', allowEvents]] });
    if (!this.#authority.believes(transaction, account)) return this.#user.onRefused();
    if (!accepts(request, found)) return this.#refuse(transaction, 406, { headers: [['Accept', found.contentType]] });
    if (contactOf(request) === undefined) return this.#refuse(transaction, 400, { reason: 'Missing Contact' });
    if (this.#whenEmpty !== undefined || this.#subscriptions.size >= heldLimit) return this.#refuse(transaction, 503);
    const expiresS = expiresOf(request);
    if (expiresS > 0 && expiresS < leastExpiresS) return this.#tooBrief(transaction);
    this.#makeRoom();
    this.#grant(transaction, account, expiresS);
    this.#open(transaction, account, found).grant(1000 * expiresS);
    this.#core.log.debug('subscription', { event: name, from: source.host, expiresS });
  }

  /** Something about the calls is another than before. Told soon, with whatever else changes in this moment. */
  changed() {
    if (this.#subscriptions.size === 0 || this.#cancelTelling !== undefined) return;
    const tell = () => {
      this.#cancelTelling = undefined;
      for (const subscription of this.#subscriptions) subscription.changed();
    };
    this.#cancelTelling = this.#core.clock.after(0, tell, 'calls changed');
  }

  /** Each is told again, from the address that is ours now. */
  refresh() {
    for (const subscription of this.#subscriptions) subscription.tellAgain();
  }

  /** Ends every subscription. `done` is called when the last NOTIFYs have been answered or have failed. */
  stop(done: () => void) {
    this.#whenEmpty = done;
    for (const subscription of [...this.#subscriptions]) subscription.end('probation;retry-after=60');
    if (this.#subscriptions.size === 0) done();
  }

  #open(transaction: ServerTransaction, account: Account | undefined, found: Package): ServedSubscription {
    const { request, localTag } = transaction;
    const dialog = Dialog.ofInvite(request, localTag);
    const entity = account?.settings.aor ?? request.uri;
    const write = found.open();
    const subscription: ServedSubscription = new ServedSubscription({
      core: this.#core,
      dialog,
      account,
      event: request.headers.get('Event')!,
      contentType: found.contentType,
      gist: () => found.gist(this.#user.facts(account, entity)),
      write: () => write(this.#user.facts(account, entity)),
      onGone: () => {
        this.#core.dialogs.remove(dialog);
        this.#subscriptions.delete(subscription);
        if (this.#subscriptions.size === 0) this.#whenEmpty?.();
      },
    });
    const owner: DialogOwner = {
      onRequest: inside => this.#serveInside(inside, subscription, account),
      onAck() {},
    };
    this.#core.dialogs.add(dialog, owner);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** §4.2.1.2: a refresh, or the end. */
  #serveInside(transaction: ServerTransaction, subscription: ServedSubscription, account: Account | undefined) {
    const { request, source } = transaction;
    const { method } = request;
    if (!subscription.dialog.accepts(request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (method === 'OPTIONS') transaction.respond(200, optionsReply(this.#core, source));
    // Nothing but the subscription lives in this dialog (§4.5.2).
    else if (method !== 'SUBSCRIBE' || subscription.isOver) transaction.respond(481);
    else {
      const expiresS = expiresOf(request);
      if (expiresS > 0 && expiresS < leastExpiresS) return this.#tooBrief(transaction);
      subscription.dialog.refreshTarget(request);
      this.#grant(transaction, account, expiresS);
      subscription.grant(1000 * expiresS);
    }
  }

  #makeRoom() {
    const open = [...this.#subscriptions].filter(({ isOver }) => !isOver);
    if (open.length < subscriptionLimit) return;
    const [first] = open.sort((a, b) => a.untilMs - b.untilMs);
    first?.end('probation;retry-after=60');
  }

  #grant(transaction: ServerTransaction, account: Account | undefined, expiresS: number) {
    const local = this.#core.transport.localFor(transaction.source);
    transaction.respond(200, {
      headers: [
        ['Contact', contactAt(account, local, transaction.request)],
        ['Expires', String(expiresS)],
        ['Allow-Events', allowEvents],
      ],
    });
  }

  #tooBrief(transaction: ServerTransaction) {
    this.#refuse(transaction, 423, { headers: [['Min-Expires', String(leastExpiresS)]] });
  }

  #refuse(transaction: ServerTransaction, status: number, reply?: Reply) {
    this.#user.onRefused();
    transaction.respond(status, reply);
  }
}

/** RFC 3261 §20.1: without Accept whatever the package has by default. */
function accepts({ headers }: Request, { contentType }: Package): boolean {
  const wanted = headers.all('Accept').map(value => value.split(';', 1)[0]!.trim().toLowerCase());
  return wanted.length === 0 || [contentType, 'application/*', '*/*'].some(type => wanted.includes(type));
}

/** §4.1.2.1: without Expires as long as we grant at most; so too for what cannot be read. */
function expiresOf({ headers }: Request): number {
  const seconds = parseNumber(headers.get('Expires')?.trim() ?? '', Number.MAX_SAFE_INTEGER);
  return Math.min(seconds ?? mostExpiresS, mostExpiresS);
}
