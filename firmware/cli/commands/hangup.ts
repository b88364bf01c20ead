/** `porter hangup`: ends the present call. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addHangup: AddCommand = (porter, environment) => {
  porter
    .command('hangup')
    .description('end the call; where there are several, all of them')
    .action((_options, command) => perform('hang up', 'hung up', command, environment));
};
