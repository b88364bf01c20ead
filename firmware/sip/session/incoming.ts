/** A call that comes to us: INVITE, 180, 200 until its ACK, or a refusal (RFC 3261 §13.3). */
import assert from 'node:assert';
import type { Account } from '../account.ts';
import type { Body, Call, CallEnd, CallHandler, HeaderFields, Party } from '../contracts.ts';
import { type Core, contactAt } from '../core.ts';
import { Dialog, type DialogIdentity } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import type { DialogOwner } from '../dialog/table.ts';
import type { CallFacts } from '../event/package.ts';
import { allows, supported } from '../extensions.ts';
import { parseNumber } from '../message/grammar.ts';
import type { Request } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { AnsweredInvite } from './answered-invite.ts';
import { serveAside } from './aside.ts';
import { Established } from './established.ts';
import { partyOf } from './party.ts';
import { reasonOf } from './reason.ts';
import { Reliable } from './reliable.ts';
import type { Phase } from './replaces.ts';
import { SessionTimer } from './session-timer.ts';
import { serveUpdate } from './update.ts';

/** A proxy gives up an INVITE that is silent for 3 min; so the last 1xx is sent again in time (§13.3.1.1). */
const ringAgainMs = 60_000;

/** An INVITE that nobody answers is given up after this, or at its Expires: the caller may have vanished. */
const answerLimitMs = 600_000;

export class IncomingCall implements Call, DialogOwner {
  readonly id: string;
  readonly direction = 'incoming';
  readonly account: string | undefined;
  readonly remote: Party;
  #state: Call['state'] = 'inviting';
  readonly #core: Core;
  readonly #identity: Account | undefined;
  readonly #transaction: ServerTransaction;
  readonly #onQuiet: () => void;
  readonly #timer: SessionTimer;
  readonly #reliable: Reliable;
  /** Accepted, but the 200 waits for a PRACK. */
  #accepting: { body: Body; headers: HeaderFields } | undefined;
  #madeDialog: Dialog | undefined;
  #handler: CallHandler | undefined;
  #outcome: CallEnd | undefined;
  #answered: AnsweredInvite | undefined;
  #established: Established | undefined;
  #cancelRinging = () => {};
  #cancelLimit = () => {};

  /** `onQuiet`: the call has ended and left nothing on the wire but copies. */
  constructor(core: Core, account: Account | undefined, transaction: ServerTransaction, onQuiet: () => void) {
    const { request } = transaction;
    this.id = request.headers.get('Call-ID') ?? '';
    this.account = account?.settings.id;
    this.remote = partyOf(request.headers.get('From') ?? '');
    this.#core = core;
    this.#identity = account;
    this.#transaction = transaction;
    this.#onQuiet = onQuiet;
    this.#reliable = new Reliable(core, transaction, {
      handler: () => this.#handler,
      onAcknowledged: () => {
        if (this.#accepting !== undefined) this.#accept(this.#accepting.body, this.#accepting.headers);
      },
      onGiveUp: () => {
        // RFC 3262 §3: 5xx.
        transaction.respond(504);
        this.#leave({ by: 'failure', why: 'no PRACK came' });
      },
    });
    this.#timer = new SessionTimer(core.clock, core.settings.sessionExpiresMs ?? 0);
  }

  start() {
    this.#transaction.onCancel = cancel => this.#cancelled(cancel);
    this.#transaction.onFailure = reason => {
      if (this.state === 'inviting' || this.state === 'ringing') this.#leave({ by: 'failure', why: reason });
    };
  }

  /**
   * Who hears of what follows; what has been decided before it came is told now. What only later messages need is made
   * now too, when the caller has its first answer.
   */
  attach(handler: CallHandler) {
    this.#handler = handler;
    if (this.#outcome !== undefined) return handler.onEnded(this.#outcome);
    this.#core.dialogs.add(this.#dialog, this);
    if (this.state !== 'inviting' && this.state !== 'ringing') return;
    const expired = () => {
      this.#transaction.respond(487);
      this.#leave({ by: 'failure', why: 'not answered in time' });
    };
    this.#cancelLimit = this.#core.clock.after(answerLimitOf(this.#transaction.request), expired, 'INVITE expires');
  }

  get #dialog() {
    this.#madeDialog ??= Dialog.ofInvite(this.#transaction.request, this.#transaction.localTag);
    return this.#madeDialog;
  }

  ring(body?: Body) {
    this.#progress(body === undefined ? 180 : 183, body);
  }

  queue() {
    this.#progress(182);
  }

  #progress(status: number, body?: Body) {
    if (this.#ignores('ring', 'inviting', 'ringing') || this.#accepting !== undefined) return;
    this.state = 'ringing';
    this.#cancelRinging();
    this.#reliable.respond(status, { headers: this.#headers(), ...(body && { body }) });
    this.#cancelRinging = this.#core.clock.after(ringAgainMs, () => this.#progress(status, body), '1xx again');
  }

  accept(body: Body, headers: HeaderFields = []) {
    if (this.#ignores('accept', 'inviting', 'ringing') || this.#accepting !== undefined) return;
    this.#stopWaiting();
    // RFC 3262 §3: a 2xx would overtake what the peer must have first.
    if (this.#reliable.isOpen) this.#accepting = { body, headers };
    else this.#accept(body, headers);
  }

  #accept(body: Body, extra: HeaderFields) {
    this.state = 'answered';
    const headers = [...this.#headers(), ...extra, ...this.#timer.accept(this.#transaction.request)];
    const response = this.#transaction.respond(200, this.#reliable.described ? { headers } : { headers, body });
    this.#established = new Established(this.#core, this.#dialog, this.#identity, this.#timer, {
      // Not asked for before the ACK, and by then it is there.
      handler: () => this.#handler!,
      ownsCallId: false,
      takesUpdate: allows(this.#transaction.request, 'UPDATE'),
      isConfirmed: () => this.state === 'confirmed',
      onOver: end => {
        this.#answered?.stop();
        this.#end(end);
      },
      onQuiet: () => this.#onQuiet(),
    });
    this.#established.start();
    this.#answered = new AnsweredInvite(this.#core.clock, this.#transaction, response, () => this.#noAck());
    this.#answered.start();
  }

  refuse(status: number, reason?: string, headers: HeaderFields = []) {
    assert(status >= 300 && status <= 699, 'a refusal is 300 … 699');
    if (this.#ignores('refuse', 'inviting', 'ringing')) return;
    this.#transaction.respond(status, { headers, ...(reason !== undefined && { reason }) });
    this.#leave({ by: 'us' });
  }

  hangUp() {
    if (this.state === 'ended') return;
    if (this.state === 'inviting' || this.state === 'ringing') return this.refuse(480);
    // §15: no BYE before the ACK, which `onAck` or `#noAck` will see.
    if (this.state === 'confirmed') this.#established!.hangUp();
    this.#end({ by: 'us' });
  }

  reoffer(body: Body, repairs?: boolean) {
    if (this.state === 'answered') this.#handler?.onReoffered({ status: 491, reason: 'waits for the ACK' });
    else if (!this.#ignores('reoffer', 'confirmed')) this.#established!.reoffer(body, repairs);
  }

  transfer(target: string, replacing?: Call) {
    if (!this.#ignores('transfer', 'confirmed')) this.#established!.transfer(target, replacing);
  }

  get replacesValue() {
    return this.#established?.replacesValue;
  }

  sendKey(key: string, durationMs: number) {
    if (!this.#ignores('key', 'confirmed')) this.#established!.sendKey(key, durationMs);
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
    const { localTag, remoteTag } = this.#dialog;
    const { id, direction, state, account, remote } = this;
    return { id, localTag, remoteTag, direction, state, account, remote };
  }

  /** Whether that dialog is this call, and how far it is. One that only rings here is not ours to give away (RFC 3891 §3). */
  phaseOf(identity: DialogIdentity): Phase {
    return this.#established?.is(identity) ? 'confirmed' : undefined;
  }

  onRequest(transaction: ServerTransaction) {
    const { request } = transaction;
    // Hung up, and only its ACK is waited for: nothing more is told of it.
    if (this.state === 'ended' && request.method !== 'BYE') transaction.respond(481);
    else if (this.#established !== undefined) this.#established.onRequest(transaction);
    else if (!this.#dialog.accepts(request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (request.method === 'BYE') {
      // §15: the caller may end an early dialog; §15.1.2: and the INVITE is answered.
      transaction.respond(200);
      this.#transaction.respond(487);
      this.#leave(theirs(request));
    }
    // §14.2: a second INVITE before the first is answered.
    else if (request.method === 'INVITE') transaction.respond(500, { headers: [['Retry-After', '5']] });
    else if (request.method === 'PRACK') this.#reliable.serve(transaction);
    else if (request.method === 'UPDATE') this.#updated(transaction);
    else serveAside(this.#core, transaction, this.#handler);
  }

  /** Until the first offer is answered, reliably, no other may come between (RFC 3311 §5.2). */
  #updated(transaction: ServerTransaction) {
    serveUpdate(transaction, {
      core: this.#core,
      dialog: this.#dialog,
      account: this.#identity,
      timer: undefined,
      handler: this.#handler,
      open: this.#reliable.described && !this.#reliable.isOpen ? undefined : 'theirs',
    });
  }

  onAck(ack: Request) {
    if (!this.#answered?.matches(ack)) {
      this.#established?.onAck(ack);
      return;
    }
    this.#answered.stop();
    // In `confirmed` it is a copy, sent for a copy of our 200.
    if (this.state === 'answered') {
      this.state = 'confirmed';
      this.#handler?.onAnswered(bodyOf(ack));
    } else if (this.state === 'ended') this.#established!.hangUp();
  }

  #noAck() {
    this.#established!.giveUp('answered, but no ACK came');
  }

  /** §9.2 */
  #cancelled(cancel: Request) {
    this.#transaction.respond(487);
    this.#leave(theirs(cancel));
  }

  /** Ended before a 2xx: the transaction does the rest. */
  #leave(end: CallEnd) {
    this.#core.dialogs.remove(this.#dialog);
    this.#reliable.stop();
    this.#end(end);
    this.#onQuiet();
  }

  #stopWaiting() {
    this.#cancelRinging();
    this.#cancelLimit();
  }

  #end(end: CallEnd) {
    this.#stopWaiting();
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.#outcome = end;
    this.#handler?.onEnded(end);
  }

  #headers(): HeaderFields {
    const local = this.#core.transport.localFor(this.#transaction.source);
    return [
      ['Contact', contactAt(this.#identity, local, this.#transaction.request)],
      ['Allow', this.#core.allow],
      ['Allow-Events', this.#core.allowEvents],
      ['Supported', supported],
    ];
  }

  #ignores(what: string, ...states: Call['state'][]) {
    if (states.includes(this.state)) return false;
    this.#core.log.warn(`${what} ignored`, { call: this.id, state: this.state });
    return true;
  }
}

/** §13.3.1 */
function answerLimitOf({ headers }: Request): number {
  const seconds = parseNumber(headers.get('Expires') ?? '', 2 ** 32 - 1);
  return seconds === undefined ? answerLimitMs : Math.min(answerLimitMs, 1000 * seconds);
}

function theirs(request: Request): CallEnd {
  const reason = reasonOf(request);
  return reason === undefined ? { by: 'them' } : { by: 'them', reason };
}
