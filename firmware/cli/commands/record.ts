/** `porter record`: a call, or what the microphone hears, into a file of the device. */
import type { AddCommand } from '../environment.ts';
import { perform } from '../running-device.ts';

export const addRecord: AddCommand = (porter, environment) => {
  porter
    .command('record <what>')
    .description('record the "call", or what the "microphone" hears; "stop" ends it')
    .option('--for <time>', 'as long as that: 30s')
    .action(async (what: string, { for: time }: { for?: string }, command) => {
      if (what === 'stop') return perform('stop recording', 'recording stopped', command, environment);
      const text = time === undefined ? `record ${what}` : `record ${what} for ${time}`;
      return perform(text, `recording the ${what}; \`porter status\` says where`, command, environment);
    });
};
