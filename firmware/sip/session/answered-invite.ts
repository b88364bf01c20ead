/** An INVITE that we answered 2xx: sends that again until the ACK comes (RFC 3261 §13.3.1.4). */
import type { Clock } from '../../lib/clock.ts';
import { sequenceOf } from '../dialog/dialog.ts';
import type { Request, Response } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { giveUpMs, T1Ms, T2Ms } from '../transaction/timers.ts';

export class AnsweredInvite {
  readonly #clock: Clock;
  readonly #transaction: ServerTransaction;
  readonly #response: Response;
  readonly #onGiveUp: () => void;
  #cancelResend = () => {};
  #cancelGiveUp = () => {};

  /** `onGiveUp` is called where no ACK came for 64 × T1: the dialog exists, but the call should end. */
  constructor(clock: Clock, transaction: ServerTransaction, response: Response, onGiveUp: () => void) {
    this.#clock = clock;
    this.#transaction = transaction;
    this.#response = response;
    this.#onGiveUp = onGiveUp;
  }

  start() {
    this.#resendAfter(T1Ms);
    const giveUp = () => {
      this.stop();
      this.#onGiveUp();
    };
    this.#cancelGiveUp = this.#clock.after(giveUpMs, giveUp, 'no ACK');
  }

  /** True where this is the ACK that was waited for. */
  matches(ack: Request) {
    return sequenceOf(ack) === sequenceOf(this.#transaction.request);
  }

  stop() {
    this.#cancelResend();
    this.#cancelGiveUp();
  }

  #resendAfter(delayMs: number) {
    const resend = () => {
      this.#transaction.repeat(this.#response);
      this.#resendAfter(Math.min(2 * delayMs, T2Ms));
    };
    this.#cancelResend = this.#clock.after(delayMs, resend, '2xx again');
  }
}
