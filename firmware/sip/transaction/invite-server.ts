/** INVITE server transaction: RFC 3261 §17.2.1 figure 7, with the Accepted state of RFC 6026 §8.5. */
import { arm, backOff, deliver, fail, type Machine, repeat, send } from './machine.ts';
import { giveUpMs, T1Ms, T2Ms, T4Ms } from './timers.ts';

export interface InviteServerContext {
  /** Over TCP or TLS: nothing is sent twice, no copy is waited for. */
  reliable: boolean;
}

export type InviteServerEvent = 'INVITE' | 'ACK' | 'send 1xx' | 'send 2xx' | 'send 3xx-6xx' | 'transport error';
type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
type Timer = 'G' | 'H' | 'I' | 'L';

export const inviteServer = <M>(): Machine<InviteServerContext, State, InviteServerEvent, Timer, M> => ({
  // It is not kept: the transaction outlives its call by 32 s.
  start: (_, invite) => ['proceeding', deliver(invite!)],

  lifetimes: { G: ['completed'], H: ['completed'], I: ['confirmed'], L: ['accepted'] },

  // biome-ignore format: read as a table
  table: {
    proceeding: {
      'INVITE':          () => ['proceeding', repeat],
      'send 1xx':        (_, response) => ['proceeding', send(response)],
      'send 2xx':        (_, response) => ['accepted', send(response), arm('L', giveUpMs)],
      'send 3xx-6xx':    (tx, response) => ['completed', send(response), arm('H', giveUpMs), ...(tx.reliable ? [] : [arm('G', T1Ms)])],
      'transport error': () => ['terminated', fail('transport error')],
    },
    completed: {
      'INVITE':          () => ['completed', repeat],
      'ACK':             tx => ['confirmed', arm('I', tx.reliable ? 0 : T4Ms)],
      'timer G':         () => ['completed', repeat, backOff('G', T2Ms)],
      'timer H':         () => ['terminated', fail('timeout')],
      'transport error': () => ['terminated', fail('transport error')],
    },
    confirmed: {
      'timer I':         () => ['terminated'],
    },
    accepted: {
      // The user sends its 2xx again until the ACK comes (RFC 3261 §13.3.1.4); a copy of the INVITE is absorbed.
      'send 2xx':        () => ['accepted', repeat],
      // Only an ACK of RFC 2543 comes here: it has the Via of its INVITE.
      'ACK':             (_, ack) => ['accepted', deliver(ack)],
      'timer L':         () => ['terminated'],
    },
    terminated: {},
  },
});
