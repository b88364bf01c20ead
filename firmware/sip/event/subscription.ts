/**
 * One subscription of ours: SUBSCRIBE, the NOTIFY that makes its dialog, refresh, and patience when there is none to be
 * had (RFC 6665 §4.1).
 */
import type { Account } from '../account.ts';
import { AskedExpiry } from '../asked-expiry.ts';
import { addContact, type Core } from '../core.ts';
import { Dialog } from '../dialog/dialog.ts';
import { bodyOf, firstHop, makeRequest, newCallId } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';
import { fromOf, privacyOf } from '../identity.ts';
import type { Request, Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import { tagOf } from '../transaction/matching.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { giveUpMs } from '../transaction/timers.ts';
import type { SubscriptionHandler, SubscriptionOptions } from './contracts.ts';
import { eventOf } from './event.ts';
import { expiryOf, Patience, refreshAfter, seldomRetryMs } from './patience.ts';
import { notifiedState } from './subscription-state.ts';

/** Longest document that is handed on, bytes. */
const documentLimit = 16_384;
/** An end after which the peer is asked again "later", where it does not say when. */
const laterMs = 30_000;
/** A refusal that ends the dialog (RFC 5057 §5.3), and with it the subscription. */
const fatal = [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604];

export interface SubscriptionParts {
  core: Core;
  options: SubscriptionOptions;
  handler: SubscriptionHandler;
  /** From now on NOTIFYs with this Call-ID and tag in To are for this subscription; undefined: none are. */
  identify(key: string | undefined): void;
}

export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #patience: Patience;
  #account: Account | undefined;
  #callId = '';
  #from = '';
  #sequence = 0;
  #initial: Request | undefined;
  /** Made by the first NOTIFY, which may overtake the 2xx (§4.4.1). */
  #dialog: Dialog | undefined;
  readonly #expiry: AskedExpiry;
  #untilMs = 0;
  #exchange: Exchange | undefined;
  #stopped = false;
  #cancelTimer = () => {};

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#patience = new Patience(parts.core.random);
    this.#expiry = new AskedExpiry(parts.options.expiresMs);
  }

  /** `account`: by which it is asked for from now on. */
  start(account: Account | undefined, afterMs: number) {
    this.#account = account;
    this.#after(afterMs, () => this.#begin(), 'SUBSCRIBE');
  }

  /** Now, where it stands; where it does not, it is asked for in its time. */
  refresh() {
    if (this.#dialog === undefined || this.#exchange !== undefined || this.#stopped) return;
    this.#cancelTimer();
    this.#ask();
  }

  /** `done` is called when the peer has been told, or cannot be. Nothing is heard of it any more. */
  stop(done: () => void = () => {}) {
    if (this.#stopped) return done();
    this.#stopped = true;
    this.#cancelTimer();
    if (this.#dialog === undefined) {
      this.#parts.identify(undefined);
      return done();
    }
    const over = () => {
      this.#parts.identify(undefined);
      done();
    };
    this.#send('0', response => response.status >= 200 && over(), over);
  }

  #begin() {
    const { core, options, identify } = this.#parts;
    const account = this.#account;
    this.#callId = newCallId(core.random);
    const tag = core.random.token(8);
    this.#from = `${fromOf(account)};tag=${tag}`;
    this.#sequence = 1;
    this.#dialog = undefined;
    identify(`${this.#callId} ${tag}`);
    this.#initial = makeRequest({
      method: 'SUBSCRIBE',
      uri: options.target,
      from: this.#from,
      to: `<${options.target}>`,
      callId: this.#callId,
      sequence: this.#sequence,
      account,
      headers: privacyOf(account),
    });
    this.#ask();
    // Timer N, §4.1.2.4.
    this.#after(giveUpMs, () => this.#fail({ why: 'no NOTIFY came' }), 'timer N');
  }

  /** The first SUBSCRIBE, or a refresh. */
  #ask() {
    const isRefresh = this.#dialog !== undefined;
    const exchange = this.#send(
      this.#expiry.seconds,
      response => {
        if (this.#exchange !== exchange || this.#stopped || response.status < 200) return;
        this.#exchange = undefined;
        if (response.status < 300) return this.#granted(response);
        if (this.#expiry.lengthens(response)) {
          if (isRefresh) this.#ask();
          else this.#begin();
        } else this.#refused(response, response.reason || reasonPhrase(response.status), isRefresh);
      },
      why => {
        if (this.#exchange !== exchange || this.#stopped) return;
        this.#exchange = undefined;
        this.#refused(undefined, why, isRefresh);
      },
    );
    this.#exchange = exchange;
  }

  #send(expires: string, onResponse: (response: Response) => void, onFailure: (why: string) => void): Exchange {
    const { core, options } = this.#parts;
    const account = this.#account;
    const dialog = this.#dialog;
    const request = dialog?.request('SUBSCRIBE') ?? this.#initial!;
    request.headers.set('Event', options.event);
    if (options.accept.length > 0) request.headers.set('Accept', options.accept.join(', '));
    request.headers.set('Expires', expires);
    return new Exchange(core, {
      request,
      nextHop: dialog?.nextHop ?? firstHop(request),
      account,
      nextSequence: () => this.#dialog?.nextSequence() ?? ++this.#sequence,
      prepare: addContact(account),
      onResponse,
      onFailure,
    }).start();
  }

  #granted(response: Response) {
    this.#expiry.settled();
    const forMs = expiryOf(response, this.#expiry.ms);
    this.#untilMs = this.#parts.core.clock.now() + forMs;
    if (this.#dialog !== undefined) this.#refreshIn(forMs);
  }

  #refused(response: Response | undefined, why: string, isRefresh: boolean) {
    const status = response?.status;
    this.#expiry.settled();
    const retryMs = this.#patience.next({ response });
    // §4.1.2.2: what was granted goes on to its end, unless the dialog itself is gone.
    const goesOn = isRefresh && !fatal.includes(status ?? 0);
    if (goesOn && this.#parts.core.clock.now() + retryMs < this.#untilMs) {
      this.#after(retryMs, () => this.#ask(), 'SUBSCRIBE again');
    } else this.#fail({ why, retryMs, ...(status !== undefined && { status }) });
  }

  /** NOTIFY with our Call-ID and tag. */
  serve(transaction: ServerTransaction) {
    const { request } = transaction;
    const { options, handler } = this.#parts;
    const body = bodyOf(request);
    const remoteTag = tagOf(request.headers.get('From')) ?? '';
    if (eventOf(request).name !== options.event) return void transaction.respond(489);
    // §4.4.1: of a request that forked, the first to answer is enough.
    if (this.#dialog !== undefined && this.#dialog.remoteTag !== remoteTag) return void transaction.respond(481);
    if (body !== undefined && !isWanted(body.contentType, options.accept)) {
      return void transaction.respond(415, { headers: [['Accept', options.accept.join(', ')]] });
    }
    if (body !== undefined && body.bytes.length > documentLimit) return void transaction.respond(413);
    const dialog = this.#dialog ?? Dialog.ofNotify(request, this.#initial!, this.#sequence);
    if (!dialog.accepts(request)) return void transaction.respond(500, { reason: 'CSeq out of order' });
    transaction.respond(200);
    if (this.#stopped) return;
    const isFirst = this.#dialog === undefined;
    this.#dialog = dialog;
    dialog.refreshTarget(request);
    const state = notifiedState(request);
    if (state.is === 'terminated') {
      if (body !== undefined) handler.onNotify(body, isFirst);
      const leastMs = { soon: 0, later: Math.max(laterMs, state.retryAfterMs), seldom: seldomRetryMs }[state.again];
      return this.#fail({
        why: `ended: ${state.reason || 'no reason given'}`,
        retryMs: this.#patience.next({ leastMs }),
      });
    }
    const { clock } = this.#parts.core;
    if (isFirst && this.#untilMs <= clock.now()) this.#untilMs = clock.now() + this.#expiry.ms;
    // §4.1.2.1: it may shorten what the 2xx has granted.
    if (state.leftMs !== undefined) this.#untilMs = Math.min(this.#untilMs, clock.now() + state.leftMs);
    // A refresh that is on its way sets the next one itself.
    if (isFirst || this.#exchange === undefined) this.#refreshIn(this.#untilMs - clock.now());
    handler.onState({ is: state.is });
    handler.onNotify(body, isFirst);
  }

  #refreshIn(leftMs: number) {
    const { random } = this.#parts.core;
    const refresh = () => {
      // It has lasted: whatever comes now is a new trouble.
      this.#patience.reset();
      this.#ask();
    };
    this.#after(refreshAfter(leftMs, random), refresh, 'SUBSCRIBE refresh');
  }

  /** There is no subscription any more; one is asked for later. */
  #fail({ why, status, retryMs = this.#patience.next() }: { why: string; status?: number; retryMs?: number }) {
    const { handler, identify } = this.#parts;
    identify(undefined);
    this.#dialog = undefined;
    this.#exchange = undefined;
    this.#untilMs = 0;
    this.#after(retryMs, () => this.#begin(), 'SUBSCRIBE anew');
    handler.onState({ is: 'failed', why, retryMs, ...(status !== undefined && { status }) });
  }

  /** One timer at a time: what is waited for. */
  #after(delayMs: number, task: () => void, name: string) {
    this.#cancelTimer();
    this.#cancelTimer = this.#parts.core.clock.after(delayMs, task, name);
  }
}

function isWanted(contentType: string, accept: readonly string[]): boolean {
  return accept.length === 0 || accept.includes(contentType.split(';', 1)[0]!.trim().toLowerCase());
}
