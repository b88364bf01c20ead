/** Non-INVITE client transaction: RFC 3261 §17.1.2 figure 6. */
import { arm, backOff, deliver, fail, type Machine, repeat, send } from './machine.ts';
import { giveUpMs, T1Ms, T2Ms, T4Ms } from './timers.ts';

export interface NonInviteClientContext<Message> {
  request: Message;
  /** Over TCP or TLS: nothing is sent twice, no copy is waited for. */
  reliable: boolean;
}

export type NonInviteClientEvent = '1xx' | '2xx-6xx' | 'transport error';
type State = 'trying' | 'proceeding' | 'completed' | 'terminated';
type Timer = 'E' | 'F' | 'K';

export const nonInviteClient = <M>(): Machine<NonInviteClientContext<M>, State, NonInviteClientEvent, Timer, M> => ({
  start: tx => ['trying', send(tx.request), arm('F', giveUpMs), ...(tx.reliable ? [] : [arm('E', T1Ms)])],

  lifetimes: { E: ['trying', 'proceeding'], F: ['trying', 'proceeding'], K: ['completed'] },

  // biome-ignore format: read as a table
  table: {
    trying: {
      'timer E':         () => ['trying', repeat, backOff('E', T2Ms)],
      'timer F':         () => ['terminated', fail('timeout')],
      'transport error': () => ['terminated', fail('transport error')],
      '1xx':     (_, response) => ['proceeding', deliver(response)],
      '2xx-6xx': (tx, response) => ['completed', arm('K', tx.reliable ? 0 : T4Ms), deliver(response)],
    },
    proceeding: {
      'timer E':         () => ['proceeding', repeat, arm('E', T2Ms)],
      'timer F':         () => ['terminated', fail('timeout')],
      'transport error': () => ['terminated', fail('transport error')],
      '1xx':     (_, response) => ['proceeding', deliver(response)],
      '2xx-6xx': (tx, response) => ['completed', arm('K', tx.reliable ? 0 : T4Ms), deliver(response)],
    },
    completed: {
      'timer K':         () => ['terminated'],
    },
    terminated: {},
  },
});
