/** `porter config check`: tells whether a device would take a file, and everything that is wrong with it. */
import { resolveConfigFile } from '../config-file.ts';
import { type AddCommand, CliError, EXIT_FAILED } from '../environment.ts';
import { count, plain } from '../text.ts';

export const addConfigCheck: AddCommand = (config, environment) => {
  config
    .command('check <file>')
    .description('check a configuration file; no device is needed')
    .option('--json', '{"sound": …, "problems": […]}')
    .action(async (file: string, { json }: { json?: true }) => {
      const result = await resolveConfigFile(file, environment);
      const problems = 'problems' in result ? result.problems : [];
      if (json) environment.out(`${JSON.stringify({ sound: problems.length === 0, problems })}\n`);
      else if ('problems' in result) for (const problem of problems) environment.out(`${plain(problem)}\n`);
      else {
        const { board, buttons, contacts, doors, sip } = result.config;
        const parts = [
          count(Object.keys(sip.accounts).length, 'account'),
          count(Object.keys(contacts).length, 'contact'),
          count(Object.keys(buttons).length, 'button'),
          count(Object.keys(doors).length, 'door'),
        ];
        environment.out(`${file} is sound: board ${board.name}, ${parts.join(', ')}\n`);
      }
      if (problems.length > 0) throw new CliError(EXIT_FAILED, `${file}: ${count(problems.length, 'problem')}`);
    });
};
