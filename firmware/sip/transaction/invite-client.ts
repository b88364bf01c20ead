/**
 * INVITE client transaction: RFC 3261 §17.1.1 figure 5, with the Accepted state of RFC 6026 §8.4. Departure: `abandoned`,
 * where the same INVITE has gone to another server meanwhile. It is not sent again, but whatever still answers is heard.
 */
import { arm, backOff, deliver, fail, type Machine, repeat, send } from './machine.ts';
import { failureCopiesMs, giveUpMs, T1Ms } from './timers.ts';

export interface InviteClientContext<Message> {
  invite: Message;
  /** Builds the ACK to a failure response, which belongs to this transaction (§17.1.1.3). */
  ack(response: Message): Message;
  /** Over TCP or TLS: nothing is sent twice, no copy is waited for. */
  reliable: boolean;
}

export type InviteClientEvent = '1xx' | '2xx' | '3xx-6xx' | 'transport error' | 'abandoned';
type State = 'calling' | 'abandoned' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
type Timer = 'A' | 'B' | 'D' | 'M';

export const inviteClient = <M>(): Machine<InviteClientContext<M>, State, InviteClientEvent, Timer, M> => ({
  start: tx => ['calling', send(tx.invite), arm('B', giveUpMs), ...(tx.reliable ? [] : [arm('A', T1Ms)])],

  lifetimes: { A: ['calling'], B: ['calling', 'abandoned'], D: ['completed'], M: ['accepted'] },

  // biome-ignore format: read as a table
  table: {
    calling: {
      'timer A':         () => ['calling', repeat, backOff('A')],
      'timer B':         () => ['terminated', fail('timeout')],
      'transport error': () => ['terminated', fail('transport error')],
      'abandoned':       () => ['abandoned'],
      '1xx':     (_, response) => ['proceeding', deliver(response)],
      '2xx':     (_, response) => ['accepted', arm('M', giveUpMs), deliver(response)],
      '3xx-6xx': (tx, response) => ['completed', send(tx.ack(response)), arm('D', tx.reliable ? 0 : failureCopiesMs), deliver(response)],
    },
    abandoned: {
      'timer B':         () => ['terminated', fail('timeout')],
      'transport error': () => ['terminated', fail('transport error')],
      '1xx':     (_, response) => ['proceeding', deliver(response)],
      '2xx':     (_, response) => ['accepted', arm('M', giveUpMs), deliver(response)],
      '3xx-6xx': (tx, response) => ['completed', send(tx.ack(response)), arm('D', tx.reliable ? 0 : failureCopiesMs), deliver(response)],
    },
    proceeding: {
      '1xx':     (_, response) => ['proceeding', deliver(response)],
      '2xx':     (_, response) => ['accepted', arm('M', giveUpMs), deliver(response)],
      '3xx-6xx': (tx, response) => ['completed', send(tx.ack(response)), arm('D', tx.reliable ? 0 : failureCopiesMs), deliver(response)],
    },
    completed: {
      '3xx-6xx': () => ['completed', repeat],
      'timer D': () => ['terminated'],
      // A transport error is ignored here, where the figure ends the transaction: the user has had its answer, and
      // the next copy of the response is the next chance to send the ACK.
    },
    accepted: {
      // Every 2xx goes up: copies and other forks are the dialog's business (RFC 6026 §7.2).
      '2xx':     (_, response) => ['accepted', deliver(response)],
      'timer M': () => ['terminated'],
    },
    terminated: {},
  },
});
