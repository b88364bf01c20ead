/** `porter open`: opens a door for its time. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addOpen: AddCommand = (porter, environment) => {
  porter
    .command('open <door>')
    .description('open a door for as long as it is set to stay open')
    .action((door: string, _options, command) => perform(`open ${door}`, `opened ${door}`, command, environment));
};
