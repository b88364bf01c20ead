/** A call that we make: INVITE, its forks and redirects, CANCEL, and the 2xx that makes the dialog (RFC 3261 §13.2). */
import type { Account } from '../account.ts';
import type { Body, Call, CallEnd, CallHandler, CallOptions, Party } from '../contracts.ts';
import { addContact, type Core } from '../core.ts';
import { Dialog, type DialogIdentity } from '../dialog/dialog.ts';
import { bodyOf, firstHop, makeRequest, newCallId } from '../dialog/request.ts';
import type { CallFacts } from '../event/package.ts';
import { Exchange } from '../exchange.ts';
import { allows, supported } from '../extensions.ts';
import { fromOf, privacyOf } from '../identity.ts';
import type { Request, Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import { checkedTarget } from '../target.ts';
import { tagOf } from '../transaction/matching.ts';
import { acknowledge } from './acknowledge.ts';
import { sendBye } from './bye.ts';
import { EarlyDialogs } from './early-dialogs.ts';
import { Established } from './established.ts';
import { LateAnswers } from './late-answers.ts';
import { answeredElsewhere, printReason, type Reason } from './reason.ts';
import { Redirects } from './redirects.ts';
import type { Phase } from './replaces.ts';
import { SessionTimer } from './session-timer.ts';

/** Forks that answer too late and are still acknowledged and ended; more than this is an attack. */
export const lateForkLimit = 16;

export class OutgoingCall implements Call {
  readonly id: string;
  readonly direction = 'outgoing';
  account: string | undefined;
  readonly remote: Party;
  #state: Call['state'] = 'inviting';
  readonly #core: Core;
  #identity: Account | undefined;
  /** Accounts that are tried when the server of this one cannot be had. */
  readonly #others: Account[];
  readonly #options: CallOptions;
  readonly #handler: CallHandler;
  readonly #onQuiet: () => void;
  readonly #tag: string;
  #target: string;
  #redirects: Redirects;
  #early: EarlyDialogs;
  readonly #timer: SessionTimer;
  /** Remote tags of forks that answered too late: acknowledged and ended. */
  readonly #lateForks = new Set<string>();
  readonly #passedOver: LateAnswers;
  #sequence = 0;
  #exchange: Exchange | undefined;
  #established: Established | undefined;
  /** What is still on the wire: the INVITE, the dialog, BYEs to late forks. */
  #busy = 0;
  #cancelRingLimit = () => {};

  /** `onQuiet`: the call has ended and left nothing on the wire. */
  constructor(
    core: Core,
    [account, ...others]: readonly Account[],
    options: CallOptions,
    handler: CallHandler,
    onQuiet: () => void,
  ) {
    this.id = newCallId(core.random);
    this.account = account?.settings.id;
    this.remote = { uri: checkedTarget(options.target, account?.uri) };
    this.#core = core;
    this.#identity = account;
    this.#others = others;
    this.#target = checkedTarget(options.target, account?.uri);
    this.#options = options;
    this.#handler = handler;
    this.#onQuiet = onQuiet;
    this.#tag = core.random.token(8);
    this.#redirects = new Redirects(this.#target, core.settings.maxRedirects);
    this.#timer = new SessionTimer(core.clock, core.settings.sessionExpiresMs ?? 0);
    this.#early = new EarlyDialogs(core, account, handler);
    this.#passedOver = new LateAnswers(core);
  }

  start() {
    const { ringLimitMs } = this.#core.settings;
    const giveUp = () => {
      const why = `no answer for ${ringLimitMs / 1000} s`;
      this.#giveUp({ by: 'failure', why }, { cause: 408, text: why });
    };
    this.#cancelRingLimit = this.#core.clock.after(ringLimitMs, giveUp, 'ring limit');
    this.#invite(this.#target);
  }

  hangUp() {
    if (this.state === 'ended') return;
    if (this.#established === undefined) this.#giveUp({ by: 'us' });
    else {
      this.#established.hangUp();
      this.#end({ by: 'us' });
    }
  }

  reoffer(body: Body, repairs?: boolean) {
    if (this.#established === undefined) this.#core.log.warn('reoffer ignored: no dialog', { call: this.id });
    else this.#established.reoffer(body, repairs);
  }

  transfer(target: string, replacing?: Call) {
    if (this.#established === undefined) this.#core.log.warn('transfer ignored: no dialog', { call: this.id });
    else this.#established.transfer(target, replacing);
  }

  get replacesValue() {
    return this.#established?.replacesValue;
  }

  sendKey(key: string, durationMs: number) {
    if (this.#established === undefined) this.#core.log.warn('key ignored: no dialog', { call: this.id });
    else this.#established.sendKey(key, durationMs);
  }

  get state() {
    return this.#state;
  }

  set state(state: Call['state']) {
    this.#state = state;
    this.#core.callsChanged();
  }

  /** How others see it: to whom it can be shown is not decided here. */
  get facts(): CallFacts {
    const { id, direction, state, account, remote } = this;
    const remoteTag = this.#established?.dialog.remoteTag;
    return { id, localTag: this.#tag, remoteTag, direction, state, account, remote };
  }

  /** Whether that dialog is this call, and how far it is (RFC 3891 §3). */
  phaseOf(identity: DialogIdentity): Phase {
    if (this.#established !== undefined) return this.#established.is(identity) ? 'confirmed' : undefined;
    return this.#early.has(identity) ? 'early' : undefined;
  }

  ring() {
    this.#core.log.warn('ring ignored: we are the caller', { call: this.id });
  }

  queue() {
    this.#core.log.warn('queue ignored: we are the caller', { call: this.id });
  }

  accept() {
    this.#core.log.warn('accept ignored: we are the caller', { call: this.id });
  }

  refuse() {
    this.#core.log.warn('refuse ignored: we are the caller', { call: this.id });
  }

  #invite(target: string) {
    const request = makeRequest({
      method: 'INVITE',
      uri: target,
      from: `${fromOf(this.#identity)};tag=${this.#tag}`,
      // §8.1.3.4: To stays what the person asked for.
      to: `<${this.#target}>`,
      callId: this.id,
      sequence: ++this.#sequence,
      account: this.#identity,
      headers: [
        ['Allow', this.#core.allow],
        ['Allow-Events', this.#core.allowEvents],
        ['Supported', supported],
        ...privacyOf(this.#identity),
        ...(this.#options.headers ?? []),
      ],
      body: this.#options.body,
    });
    this.#timer.ask(request);
    this.#busy++;
    this.#early.close();
    this.#early = new EarlyDialogs(this.#core, this.#identity, this.#handler);
    const account = this.#identity;
    const exchange = new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account,
      nextSequence: () => ++this.#sequence,
      prepare: addContact(account),
      impatient: this.#others.length > 0,
      onResponse: response => this.#receive(response, exchange.request),
      onLate: (response, late) => this.#passedOver.end(response, late, account),
      onFailure: why => {
        if (!this.#goesOn()) this.#end({ by: 'failure', why });
        this.#release();
      },
    });
    this.#exchange = exchange;
    exchange.start();
  }

  #receive(response: Response, invite: Request) {
    const { status, reason } = response;
    if (status < 200) this.#progress(response, invite);
    else if (status < 300) this.#accepted(response, invite);
    else {
      const next = this.state === 'ended' ? undefined : this.#next(response, invite);
      if (next !== undefined) this.#invite(next);
      else if (status !== 503 || !this.#goesOn())
        this.#end({ by: 'refusal', status, reason: reason === '' ? reasonPhrase(status) : reason });
      this.#release();
    }
  }

  /** By the next account: no server of this one could take the call, and nobody has rung yet. */
  #goesOn(): boolean {
    const account = this.state === 'inviting' ? this.#others.shift() : undefined;
    if (account === undefined) return false;
    this.#core.log.info('call goes on by another account', { call: this.id, account: account.settings.id });
    this.account = account.settings.id;
    this.#identity = account;
    this.#target = checkedTarget(this.#options.target, account.uri);
    this.#redirects = new Redirects(this.#target, this.#core.settings.maxRedirects);
    this.#invite(this.#target);
    return true;
  }

  /** Where the INVITE goes once more after a final failure response. */
  #next(response: Response, invite: Request): string | undefined {
    return this.#timer.mayAskAgain(response) ? invite.uri : this.#redirects.next(response);
  }

  #progress(response: Response, invite: Request) {
    if (this.state === 'ended' || this.#established !== undefined || response.status === 100) return;
    if (!this.#early.take(response, invite)) return;
    this.state = 'ringing';
    this.#handler.onProgress(response.status, response.reason, bodyOf(response));
  }

  /** §13.2.2.4. Comes for every copy, and for every fork that answers. */
  #accepted(response: Response, invite: Request) {
    const tag = tagOf(response.headers.get('To')) ?? '';
    if (this.#lateForks.size >= lateForkLimit && !this.#lateForks.has(tag)) return;
    const isCopy = this.#lateForks.has(tag) || this.#established?.dialog.remoteTag === tag;
    const dialog = isCopy ? Dialog.ofResponse(invite, response) : this.#early.confirm(response, invite);
    acknowledge(this.#core, dialog, invite, { copy: isCopy, account: this.#identity });
    if (isCopy) return;
    if (this.state === 'ended' || this.#established !== undefined) this.#dismiss(dialog, tag);
    else this.#establish(dialog, response);
  }

  #establish(dialog: Dialog, response: Response) {
    this.#cancelRingLimit();
    this.#early.close();
    // The place of the INVITE in #busy passes to the dialog.
    this.#established = new Established(this.#core, dialog, this.#identity, this.#timer, {
      handler: () => this.#handler,
      ownsCallId: true,
      takesUpdate: allows(response, 'UPDATE'),
      isConfirmed: () => true,
      onOver: end => this.#end(end),
      onQuiet: () => this.#release(),
    });
    this.#timer.agreed(response);
    this.#core.dialogs.add(dialog, this.#established);
    this.#established.start();
    this.state = 'confirmed';
    this.#handler.onAnswered(bodyOf(response));
  }

  /** A 2xx that nobody waits for any more: it crossed our CANCEL, or another fork was faster. */
  #dismiss(dialog: Dialog, tag: string) {
    const crossedCancel = this.#established === undefined && this.#lateForks.size === 0;
    this.#lateForks.add(tag);
    // Where it ended the INVITE, its place in #busy passes to the BYE.
    if (!crossedCancel) this.#busy++;
    const reason = this.#established === undefined ? undefined : answeredElsewhere;
    sendBye(this.#core, dialog, this.#identity, () => this.#release(), reason);
  }

  #giveUp(end: CallEnd, reason?: Reason) {
    this.#exchange?.cancel(reason && printReason(reason));
    this.#end(end);
  }

  #end(end: CallEnd) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.#cancelRingLimit();
    this.#early.close();
    this.#handler.onEnded(end);
  }

  #release() {
    this.#busy--;
    if (this.#busy === 0) this.#onQuiet();
  }
}
