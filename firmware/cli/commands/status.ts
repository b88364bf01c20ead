/** `porter status`: what the device is, does, and lacks. */
import type { Status } from '../../controller/contracts.ts';
import type { AddCommand } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { showStatus } from '../show-status.ts';

export const addStatus: AddCommand = (porter, environment) => {
  porter
    .command('status')
    .description('what the device is doing, and what is wrong')
    .option('--json', 'everything, for a program')
    .action(async ({ json }: { json?: true }, command) => {
      const status = (await withDevice(which(command), environment, client => client.call('status'))) as Status;
      environment.out(json ? `${JSON.stringify(status, null, 2)}\n` : `${showStatus(status).join('\n')}\n`);
    });
};
