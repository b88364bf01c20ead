/** `porter hangup`: ends every call, or one. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addHangup: AddCommand = (porter, environment) => {
  porter
    .command('hangup [target]')
    .description('end all calls and pages; with a contact, SIP URI or zone, that one')
    .action((target: string | undefined, _options, command) =>
      perform(target === undefined ? 'hang up' : `hang up ${target}`, 'hung up', command, environment),
    );
};
