/** `porter dial`: keys into the present call. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addDial: AddCommand = (porter, environment) => {
  porter
    .command('dial <keys>')
    .description('send keys into the call: 12#')
    .action((keys: string, _options, command) => perform(`dial ${keys}`, `dialled ${keys}`, command, environment));
};
