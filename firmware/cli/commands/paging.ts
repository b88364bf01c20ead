/** `porter paging test`: whether multicast arrives here. */
import type { PagingTest } from '../../controller/paging-test.ts';
import { type AddCommand, CliError, EXIT_FAILED } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { isGood, showPagingTest } from '../show-paging-test.ts';
import { plain } from '../text.ts';

const details = `
Packets are sent to each group on this machine alone, and must be heard again.
The exit code is 1 where one is not.`;

export const addPaging: AddCommand = (porter, environment) => {
  const paging = porter.command('paging').description('look at pages by multicast');
  paging
    .command('test')
    .description('say whether multicast arrives here, and whether a querier asks for members')
    .option('--json', 'everything, for a program')
    .addHelpText('after', details)
    .action(async ({ json }: { json?: true }, command) => {
      const found = (await withDevice(which(command), environment, client => client.call('paging.test'))) as
        | PagingTest
        | { why: string };
      if ('why' in found) throw new CliError(EXIT_FAILED, plain(found.why));
      environment.out(json ? `${JSON.stringify(found, null, 2)}\n` : `${showPagingTest(found).join('\n')}\n`);
      if (!Object.values(found.groups).every(isGood)) throw new CliError(EXIT_FAILED, 'not every group is heard');
    });
};
