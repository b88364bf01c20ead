/** Runs one transaction machine on messages that are plain words, and writes down what it does and when. */
import { type Machine, run } from '../../../../firmware/sip/transaction/machine.ts';
import type { TimerName } from '../../../../firmware/sip/transaction/timers.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

export function transcript<C, S extends string, E extends string, T extends TimerName>(
  machine: Machine<C, S | 'terminated', E, T, string>,
  context: C,
  ...begin: string[]
) {
  const clock = new VirtualClock();
  const log: string[] = [];
  let last = '';
  const note = (what: string, detail = '') => log.push(`${clock.now()} ${what} ${detail}`.trim());
  const transaction = run(machine, context, {
    clock,
    send: message => {
      last = message;
      note('send', message);
    },
    repeat: () => note('resend', last),
    deliver: message => note('deliver', message),
    fail: reason => note('fail', reason),
    ended: () => note('ended'),
  });
  transaction.start(...begin);
  return { clock, log, transaction };
}
