/** `porter press`: as if a finger had pressed a button. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addPress: AddCommand = (porter, environment) => {
  porter
    .command('press <button>')
    .description('press a button and let go')
    .option('--hold <time>', 'keep it down this long: 3s')
    .action(async (button: string, { hold }: { hold?: string }, command) => {
      const text = hold === undefined ? `press ${button}` : `press ${button} for ${hold}`;
      await perform(text, `pressed ${button}`, command, environment);
    });
};
