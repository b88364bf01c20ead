/** Our provisional responses to an INVITE that must arrive: sent again until their PRACK comes (RFC 3262 §3). */
import type { CallHandler } from '../contracts.ts';
import type { Core } from '../core.ts';
import { sequenceOf } from '../dialog/dialog.ts';
import { bodyOf } from '../dialog/request.ts';
import { supports } from '../extensions.ts';
import { lowerCase, parseNumber } from '../message/grammar.ts';
import type { Request } from '../message/message.ts';
import type { Reply } from '../transaction/reply.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { giveUpMs, T1Ms } from '../transaction/timers.ts';

interface Provisional {
  status: number;
  reply: Reply;
}

export interface ReliableUser {
  handler(): CallHandler | undefined;
  /** The PRACK came, and nothing else waits. */
  onAcknowledged(): void;
  /** It did not come for 64 × T1: the INVITE is to be refused. */
  onGiveUp(): void;
}

export class Reliable {
  /** Our offer or answer is in the peer's hands: the 2xx has none any more (RFC 3261 §13.2.1). */
  described = false;
  readonly #core: Core;
  readonly #transaction: ServerTransaction;
  readonly #user: ReliableUser;
  #sequence: number | undefined;
  #unacknowledged: Provisional | undefined;
  /** §3: no second one before the first is acknowledged; of several that wait, the newest counts. */
  #next: Provisional | undefined;
  #cancelResend = () => {};
  #cancelGiveUp = () => {};

  constructor(core: Core, transaction: ServerTransaction, user: ReliableUser) {
    this.#core = core;
    this.#transaction = transaction;
    this.#user = user;
  }

  get #isOfferOurs() {
    return bodyOf(this.#transaction.request) === undefined;
  }

  /** The peer insists on it. */
  get #required() {
    const { headers } = this.#transaction.request;
    return headers.has('Require') && headers.all('Require').some(tag => lowerCase(tag) === '100rel');
  }

  /** Something is on its way that the peer has not acknowledged: no 2xx yet (§3). */
  get isOpen() {
    return this.#unacknowledged !== undefined;
  }

  /** Sends a 1xx above 100; reliably where the peer insists, or where it can and there is a description in it. */
  respond(status: number, reply: Reply) {
    const isReliable = this.#required || (reply.body !== undefined && supports(this.#transaction.request, '100rel'));
    if (!isReliable) {
      this.#transaction.respond(status, reply);
      return;
    }
    // RFC 3261 §13.2.1: the offer that is left to us would have to be in the first reliable response. Rather none.
    if (this.#isOfferOurs && reply.body === undefined && !this.described) return;
    if (this.#unacknowledged !== undefined) this.#next = { status, reply };
    else this.#send(status, reply);
  }

  /** A PRACK inside the dialog. */
  serve(transaction: ServerTransaction) {
    const { request } = transaction;
    if (this.#unacknowledged === undefined || !this.#isNamedBy(request)) return void transaction.respond(481);
    const hadBody = this.#unacknowledged.reply.body !== undefined;
    this.stop();
    this.#answer(transaction, hadBody);
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#send(next.status, next.reply);
    else this.#user.onAcknowledged();
  }

  /** A final response has been given. */
  stop() {
    this.#unacknowledged = undefined;
    this.#cancelResend();
    this.#cancelGiveUp();
  }

  #send(status: number, reply: Reply) {
    // §3: begins anywhere, and goes up by one.
    this.#sequence ??= 1 + Math.floor(this.#core.random.next() * (2 ** 31 - 1));
    this.#sequence++;
    const headers = [...(reply.headers ?? []), ['Require', '100rel'], ['RSeq', String(this.#sequence)]] as const;
    const provisional = { status, reply: { ...reply, headers } };
    this.#unacknowledged = provisional;
    if (reply.body !== undefined) this.described = true;
    this.#transaction.respond(status, provisional.reply);
    this.#resendAfter(T1Ms);
    const giveUp = () => {
      this.stop();
      this.#user.onGiveUp();
    };
    this.#cancelGiveUp = this.#core.clock.after(giveUpMs, giveUp, 'no PRACK');
  }

  /** §3: twice as long each time, without the limit that other requests have. */
  #resendAfter(delayMs: number) {
    const resend = () => {
      const { status, reply } = this.#unacknowledged!;
      this.#transaction.respond(status, reply);
      this.#resendAfter(2 * delayMs);
    };
    this.#cancelResend = this.#core.clock.after(delayMs, resend, '1xx again, reliably');
  }

  /** §7.2: RAck has the number of our response, and number and method of the INVITE. */
  #isNamedBy(prack: Request) {
    const [sequence, invite, method] = (prack.headers.get('RAck') ?? '').trim().split(/[ \t]+/);
    return (
      parseNumber(sequence ?? '', 2 ** 32 - 1) === this.#sequence &&
      parseNumber(invite ?? '', 2 ** 31 - 1) === sequenceOf(this.#transaction.request) &&
      method === 'INVITE'
    );
  }

  /** §5: a PRACK may bring the answer to our offer, or, once the first exchange is over, a new offer. */
  #answer(transaction: ServerTransaction, hadBody: boolean) {
    const body = bodyOf(transaction.request);
    if (body === undefined) return void transaction.respond(200);
    const handler = this.#user.handler();
    if (this.#isOfferOurs && hadBody) {
      transaction.respond(200);
      handler?.onReoffered({ body });
      return;
    }
    // Before the first offer is answered there is no room for a second.
    if (!this.described) return void transaction.respond(488);
    handler?.onOffer(body, {
      accept: answer => void transaction.respond(200, { body: answer }),
      refuse: (status, reason) => void transaction.respond(status, reason === undefined ? {} : { reason }),
    });
    if (transaction.status < 200) transaction.respond(488);
  }
}
