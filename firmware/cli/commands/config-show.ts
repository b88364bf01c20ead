/** `porter config show`: every effective setting, and where it comes from. */
import { type Effective, effectiveSettings } from '../../config/layers.ts';
import { hideSecret } from '../../rpc/methods.ts';
import { resolveConfigFile } from '../config-file.ts';
import { type AddCommand, type CliEnvironment, CliError, EXIT_FAILED } from '../environment.ts';
import { type Which, withDevice } from '../running-device.ts';
import { columns, plain } from '../text.ts';

interface Options extends Which {
  config?: string;
  origin?: true;
  json?: true;
}

export const addConfigShow: AddCommand = (config, environment) => {
  config
    .command('show')
    .description('show the settings of the running device, or those that a file would give')
    .option('--config <file>', 'of this file, without a device')
    .option('--origin', 'also where each comes from: default, board, provisioned or local')
    .option('--json', 'for a program: path, value, origin')
    .action(async (_options, command) => {
      const options = command.optsWithGlobals() as Options;
      const settings = await settingsOf(options, environment);
      if (options.json) {
        const told = settings.map(({ path, value, origin }) => ({ path, value: value ?? null, origin }));
        environment.out(`${JSON.stringify(told, null, 2)}\n`);
      } else for (const line of show(settings, options.origin === true)) environment.out(`${line}\n`);
    });
};

async function settingsOf({ config, ...meant }: Options, environment: CliEnvironment): Promise<readonly Effective[]> {
  if (config === undefined) {
    return (await withDevice(meant, environment, client => client.call('config.show'))) as Effective[];
  }
  const result = await resolveConfigFile(config, environment);
  if ('problems' in result) {
    throw new CliError(EXIT_FAILED, `a device would not take ${config}:\n${result.problems.map(plain).join('\n')}`);
  }
  return effectiveSettings(result.layers).map(hideSecret);
}

/** What is not set has no value to show. */
function show(settings: readonly Effective[], withOrigin: boolean): string[] {
  const rows = settings
    .filter(({ value }) => value !== undefined)
    .map(({ path, value, origin }) => [path, ...(withOrigin ? [origin] : []), JSON.stringify(value)]);
  return columns(rows).map(plain);
}
