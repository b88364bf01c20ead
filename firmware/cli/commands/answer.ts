/** `porter answer`: takes the call that rings. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addAnswer: AddCommand = (porter, environment) => {
  porter
    .command('answer')
    .description('answer the call that rings')
    .action((_options, command) => perform('answer', 'answered', command, environment));
};
