/** `porter page`: speaks, or plays a file, to a zone, or to somebody who need not answer by hand. */
import { resolve } from 'node:path';
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addPage: AddCommand = (porter, environment) => {
  porter
    .command('page <target>')
    .description('speak to a zone (multicast), or to a contact or SIP URI that answers by itself')
    .option('--file <wav>', 'play this WAV or .opus in place of the microphone, then end it')
    .action(async (target: string, { file }: { file?: string }, command) => {
      const text = file === undefined ? `page ${target}` : `page ${target} file ${resolve(file)}`;
      await perform(text, `paging ${target}`, command, environment);
    });
};
