/** `porter run`: is the device, until a signal ends it. */
import { Option } from 'commander';
import type { AddCommand, RunOptions } from '../environment.ts';

export const addRun: AddCommand = (porter, environment) => {
  porter
    .command('run')
    .description('run the device in the foreground, until it is interrupted')
    .requiredOption('--config <file>', 'the local configuration')
    .addOption(
      new Option('--log <level>', 'in place of log.level').choices(['debug', 'info', 'warn', 'error', 'silent']),
    )
    .action(async (_options, command) => {
      const { config, state, log } = command.optsWithGlobals() as RunOptions;
      await environment.run({ config, state, log });
    });
};
