/** A call that comes to us: INVITE, 180, 200 until its ACK, or a refusal (RFC 3261 §13.3). */
import assert from 'node:assert';
import type { Account } from '../account.ts';
import type { Body, Call, CallEnd, CallHandler, HeaderFields, Party } from '../contracts.ts';
import { type Core, contactAt } from '../core.ts';
import { Dialog } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import type { DialogOwner } from '../dialog/table.ts';
import { parseNumber } from '../message/grammar.ts';
import type { Request } from '../message/message.ts';
import { optionsReply } from '../options.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { AnsweredInvite } from './answered-invite.ts';
import { Established } from './established.ts';
import { partyOf } from './party.ts';
import { reasonOf } from './reason.ts';

/** A proxy gives up an INVITE that is silent for 3 min; so the last 1xx is sent again in time (§13.3.1.1). */
const ringAgainMs = 60_000;

/** An INVITE that nobody answers is given up after this, or at its Expires: the caller may have vanished. */
const answerLimitMs = 600_000;

export class IncomingCall implements Call, DialogOwner {
  readonly id: string;
  readonly direction = 'incoming';
  readonly account: string | undefined;
  readonly remote: Party;
  state: Call['state'] = 'inviting';
  readonly #core: Core;
  readonly #identity: Account | undefined;
  readonly #transaction: ServerTransaction;
  readonly #dialog: Dialog;
  readonly #onQuiet: () => void;
  #handler: CallHandler | undefined;
  #outcome: CallEnd | undefined;
  #answered: AnsweredInvite | undefined;
  #established: Established | undefined;
  #cancelRinging = () => {};
  #cancelLimit = () => {};

  /** `onQuiet`: the call has ended and left nothing on the wire but copies. */
  constructor(core: Core, account: Account | undefined, transaction: ServerTransaction, onQuiet: () => void) {
    const { request, localTag } = transaction;
    this.id = request.headers.get('Call-ID') ?? '';
    this.account = account?.settings.id;
    this.remote = partyOf(request.headers.get('From') ?? '');
    this.#core = core;
    this.#identity = account;
    this.#transaction = transaction;
    this.#dialog = Dialog.ofInvite(request, localTag);
    this.#onQuiet = onQuiet;
  }

  start() {
    this.#core.dialogs.add(this.#dialog, this);
    const expired = () => {
      this.#transaction.respond(487);
      this.#leave({ by: 'failure', why: 'not answered in time' });
    };
    this.#cancelLimit = this.#core.clock.after(answerLimitOf(this.#transaction.request), expired, 'INVITE expires');
    this.#transaction.onCancel = cancel => this.#cancelled(cancel);
    this.#transaction.onFailure = reason => {
      if (this.state === 'inviting' || this.state === 'ringing') this.#leave({ by: 'failure', why: reason });
    };
  }

  /** Who hears of what follows; what has been decided before it came is told now. */
  attach(handler: CallHandler) {
    this.#handler = handler;
    if (this.#outcome !== undefined) handler.onEnded(this.#outcome);
  }

  ring(body?: Body) {
    if (this.#ignores('ring', 'inviting', 'ringing')) return;
    this.state = 'ringing';
    this.#cancelRinging();
    this.#transaction.respond(body === undefined ? 180 : 183, { headers: this.#headers(), ...(body && { body }) });
    this.#cancelRinging = this.#core.clock.after(ringAgainMs, () => this.ring(body), '1xx again');
  }

  accept(body: Body) {
    if (this.#ignores('accept', 'inviting', 'ringing')) return;
    this.state = 'answered';
    this.#stopWaiting();
    this.#established = new Established(this.#core, this.#dialog, this.#identity, {
      // Not asked for before the ACK, and by then it is there.
      handler: () => this.#handler!,
      ownsCallId: false,
      isConfirmed: () => this.state === 'confirmed',
      onOver: end => {
        this.#answered?.stop();
        this.#end(end);
      },
      onQuiet: () => this.#onQuiet(),
    });
    const response = this.#transaction.respond(200, { headers: this.#headers(), body });
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

  reoffer(body: Body) {
    if (!this.#ignores('reoffer', 'confirmed')) this.#established!.reoffer(body);
  }

  onRequest(transaction: ServerTransaction) {
    const { request, source } = transaction;
    if (this.#established !== undefined) this.#established.onRequest(transaction);
    else if (!this.#dialog.accepts(request)) transaction.respond(500, { reason: 'CSeq out of order' });
    else if (request.method === 'BYE') {
      // §15: the caller may end an early dialog; §15.1.2: and the INVITE is answered.
      transaction.respond(200);
      this.#transaction.respond(487);
      this.#leave(theirs(request));
    } else if (request.method === 'OPTIONS') transaction.respond(200, optionsReply(this.#core, source));
    // §14.2: a second INVITE before the first is answered.
    else if (request.method === 'INVITE') transaction.respond(500, { headers: [['Retry-After', '5']] });
    else transaction.respond(405, { headers: [['Allow', this.#core.allow]] });
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
