/** Writes the reference page and the JSON Schema of the configuration from its declaration; `--check` fails when they are stale. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jsonSchema } from '../firmware/config/json-schema.ts';
import { configReference } from '../firmware/config/reference.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');
const wanted = {
  'configuration.md': configReference(),
  'configuration.schema.json': `${JSON.stringify(jsonSchema(), null, 2)}\n`,
};

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

await mkdir(folder, { recursive: true });
for (const [name, content] of Object.entries(wanted)) {
  const file = join(folder, name);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === content) continue;
  if (values.check) {
    console.error(`docs/reference/${name} is stale; run scripts/node scripts/config-reference.ts`);
    process.exitCode = 1;
  } else {
    await writeFile(file, content);
    console.log(`wrote docs/reference/${name}`);
  }
}
