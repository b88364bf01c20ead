/** What an action comes to, in the words that a person reads. */
import type { ActionResult } from './contracts.ts';

export const done: ActionResult = { done: true };
export const notNow = (why: string): ActionResult => ({ done: false, code: 'not now', why });
export const badRequest = (why: string): ActionResult => ({ done: false, code: 'bad request', why });

/** A name does not exist: which ones do. */
export function unknownName(kind: string, name: string, existing: readonly string[]): ActionResult {
  const list = existing.length === 0 ? `there are no ${kind}s configured` : `there are: ${existing.join(', ')}`;
  return { done: false, code: 'unknown name', why: `there is no ${kind} "${name}"; ${list}` };
}
