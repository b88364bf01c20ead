/** `porter debug`: what only a simulated board allows. */
import { Argument } from 'commander';
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addDebug: AddCommand = (porter, environment) => {
  const debug = porter.command('debug').description('what only a simulated board allows');
  debug
    .command('move-input')
    .description('move an input line, as a hand or a contact would')
    .argument('<input>')
    .addArgument(new Argument('<level>').choices(['on', 'off']))
    .action((input: string, level: string, _options, command) =>
      perform(`move input ${input} ${level}`, `${input} is ${level}`, command, environment),
    );
  debug
    .command('stall <time>')
    .description('block the control thread: 2s. The sound must go on.')
    .action((time: string, _options, command) => perform(`stall ${time}`, `stalled for ${time}`, command, environment));
};
