/** From a document to the configuration that the firmware uses, or to everything that is wrong with it. */
import { crossCheck, type Surroundings } from './check.ts';
import { checkDocument } from './document.ts';
import { type Problem, problemsOf } from './problems.ts';
import { type Config, schema } from './schema.ts';

export type Parsed = { config: Config } | { problems: Problem[] };

/** Takes any value. Never throws; the same value gives the same result. */
export function parseConfig(value: unknown, surroundings: Surroundings = {}): Parsed {
  const checked = checkDocument(value);
  if ('why' in checked) return { problems: [{ path: [], message: checked.why }] };
  const { success, data, error } = schema.safeParse(checked.document);
  if (!success) return { problems: problemsOf(checked.document, error.issues) };
  const problems = crossCheck(data, surroundings);
  return problems.length > 0 ? { problems } : { config: data };
}
