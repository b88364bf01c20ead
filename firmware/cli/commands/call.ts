/** `porter call`: calls a contact or a SIP URI. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addCall: AddCommand = (porter, environment) => {
  porter
    .command('call <target>')
    .description('call a contact, or a SIP URI')
    .option('--as <account>', 'the account that calls')
    .action(async (target: string, { as }: { as?: string }, command) => {
      await perform(
        as === undefined ? `call ${target}` : `call ${target} as ${as}`,
        `calling ${target}`,
        command,
        environment,
      );
    });
};
