/** `porter message`: a text to a contact or a SIP URI. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addMessage: AddCommand = (porter, environment) => {
  porter
    .command('message <target> <text>')
    .description('send a text to a contact or a SIP URI; an event says whether it was taken')
    .action((target: string, text: string, _options, command) =>
      perform(`message ${target} "${text}"`, `text to ${target} on its way`, command, environment),
    );
};
