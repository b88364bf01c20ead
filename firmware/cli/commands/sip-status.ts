/** `porter sip status`: each account with its server, its last answer, and what to do about it. */
import type { SipStatus } from '../../controller/sip-status.ts';
import type { AddCommand } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { showSipStatus } from '../show-sip-status.ts';

export const addSipStatus: AddCommand = (sip, environment) => {
  sip
    .command('status')
    .description('each account, its server, its last answer and what to do')
    .option('--json', 'everything, for a program')
    .action(async ({ json }: { json?: true }, command) => {
      const status = (await withDevice(which(command), environment, client => client.call('sip.status'))) as SipStatus;
      environment.out(json ? `${JSON.stringify(status, null, 2)}\n` : `${showSipStatus(status).join('\n')}\n`);
    });
};
