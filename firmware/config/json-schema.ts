/** The configuration's JSON Schema, for editors and for other people's tools. */
import { z } from 'zod';
import { abouts, kinds } from './field.ts';
import { schema } from './schema.ts';

/**
 * JSON Schema 2020-12 of a document. Beyond the standard words: `x-unit`, `x-secret`, and `x-needs` for what a change
 * needs. What several settings promise together is not in it: `porter config check` knows.
 */
export const jsonSchema = (): object =>
  z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema: type, jsonSchema }) {
      const about = abouts.get(type);
      const kind = kinds.get(type);
      if (kind?.pattern !== undefined) jsonSchema.pattern = kind.pattern;
      if (about === undefined) return;
      jsonSchema.description = about.help;
      jsonSchema['x-needs'] = about.needs;
      if (about.unit !== undefined) jsonSchema['x-unit'] = about.unit;
      if (about.secret) Object.assign(jsonSchema, { 'x-secret': true, writeOnly: true });
    },
  });
