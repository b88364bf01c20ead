/** What to say when a name does not exist: which ones do. */
import type { ActionResult } from './contracts.ts';

export function unknownName(kind: string, name: string, existing: readonly string[]): ActionResult {
  const list = existing.length === 0 ? `there are no ${kind}s configured` : `there are: ${existing.join(', ')}`;
  return { done: false, code: 'unknown name', why: `there is no ${kind} "${name}"; ${list}` };
}
