/** `porter hold`, `resume`, `transfer`, `join`: what a person does with calls that are up. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addSeveralCalls: AddCommand = (porter, environment) => {
  const withTarget = (verb: string, what: string, said: string) =>
    porter
      .command(`${verb} [target]`)
      .description(what)
      .action((target: string | undefined, _options, command) =>
        perform(target === undefined ? verb : `${verb} ${target}`, said, command, environment),
      );
  withTarget('hold', 'put the call on hold; with a contact or SIP URI, that one', 'on hold');
  withTarget('resume', 'go on with a call on hold; who is talked with now is held', 'resumed');
  withTarget(
    'transfer',
    'pass the call on to a contact or SIP URI; without one, connect the two that are up',
    'passing it on',
  );
  porter
    .command('join')
    .description('join all answered calls: everybody hears everybody')
    .action((_options, command) => perform('join', 'joined', command, environment));
};
