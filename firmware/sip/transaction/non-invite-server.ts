/**
 * Non-INVITE server transaction: RFC 3261 §17.2.2 figure 8.
 *
 * RFC 4320 §4.1 forbids 408 here: it could only reach a client that has given up. The layer asserts it.
 */
import { arm, deliver, fail, type Machine, repeat, send } from './machine.ts';
import { giveUpMs } from './timers.ts';

export interface NonInviteServerContext {
  /** Over TCP or TLS: no copy is waited for. */
  reliable: boolean;
}

export type NonInviteServerEvent = 'request' | 'send 1xx' | 'send 2xx-6xx' | 'transport error';
type State = 'trying' | 'proceeding' | 'completed' | 'terminated';
type Timer = 'J';

export const nonInviteServer = <M>(): Machine<NonInviteServerContext, State, NonInviteServerEvent, Timer, M> => ({
  start: (_, request) => ['trying', deliver(request!)],

  lifetimes: { J: ['completed'] },

  // biome-ignore format: read as a table
  table: {
    // A copy is ignored until there is something to say.
    trying: {
      'send 1xx':        (_, response) => ['proceeding', send(response)],
      'send 2xx-6xx':    (tx, response) => ['completed', send(response), arm('J', tx.reliable ? 0 : giveUpMs)],
    },
    proceeding: {
      'request':         () => ['proceeding', repeat],
      'send 1xx':        (_, response) => ['proceeding', send(response)],
      'send 2xx-6xx':    (tx, response) => ['completed', send(response), arm('J', tx.reliable ? 0 : giveUpMs)],
      'transport error': () => ['terminated', fail('transport error')],
    },
    completed: {
      'request':         () => ['completed', repeat],
      'timer J':         () => ['terminated'],
      'transport error': () => ['terminated', fail('transport error')],
    },
    terminated: {},
  },
});
