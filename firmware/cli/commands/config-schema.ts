/** `porter config schema`: the JSON Schema of a configuration, for editors and programs. */
import { jsonSchema } from '../../config/json-schema.ts';
import type { AddCommand } from '../environment.ts';

export const addConfigSchema: AddCommand = (config, environment) => {
  config
    .command('schema')
    .description('print the JSON Schema of a configuration, for an editor')
    .action(() => environment.out(`${JSON.stringify(jsonSchema(), null, 2)}\n`));
};
