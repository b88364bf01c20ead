/** What is wrong with a document, as a person reads it: where, what stands there, what is allowed. */
import type { z } from 'zod';
import { isObject } from './document.ts';
import { type Leaf, type Path, printPath, settingAt } from './tree.ts';
import { notAName } from './types.ts';

export interface Problem {
  path: Path;
  /** Follows the path: `"3 parsecs" is not a duration; …`. Never holds a secret. */
  message: string;
}

/** Problems told of one document; what is beyond is only counted. */
const problemLimit = 20;
const shownCharacters = 60;
/** A longer text is not searched for a password, hence not shown. */
const searchedCharacters = 256;

const printProblem = ({ path, message }: Problem) =>
  path.length === 0 ? `the document ${message}` : `${printPath(path)}: ${message}`;

/** One line a problem, at most `problemLimit` of them and a line that counts the rest. */
export function printProblems(problems: readonly Problem[]): string[] {
  const shown = problems.slice(0, problemLimit).map(printProblem);
  const rest = problems.length - shown.length;
  return rest > 0 ? [...shown, `… and ${rest} more`] : shown;
}

/** Between the user's colon and the `@`: `sip:user:HERE@host`, `mqtt://user:HERE@host`. */
const passwordInUri = /(?<=^sips?:[^:@]*:|:\/\/[^:@/]*:).*(?=@)/g;

/** A value as an error may show it: bounded, and what stands for a password in a URI is hidden. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  if (typeof value === 'string' && value.length > searchedCharacters) return `a text of ${value.length} characters`;
  const text = typeof value === 'string' ? value.replace(passwordInUri, '***') : value;
  const shown = JSON.stringify(text) ?? String(text);
  return shown.length <= shownCharacters ? shown : `${shown.slice(0, shownCharacters)}…`;
}

/** The issues of a failed parse as problems, in the order of declaration, one for each place. */
export function problemsOf(document: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const problem of issues.flatMap(issue => describe(document, issue))) {
    const place = printPath(problem.path);
    // zod goes on to the limits of a value whose type is wrong already.
    if (!problems.has(place)) problems.set(place, problem);
  }
  return [...problems.values()];
}

function describe(document: unknown, issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key, index) => ({ path: [...path, key], message: unknownSetting(path, key, index) }));
  }
  if (issue.code === 'invalid_key') return [{ path, message: `${showValue(path.at(-1))} ${notAName}` }];
  return [{ path, message: sentence(path, valueAt(document, path), issue) }];
}

function sentence(path: Path, value: unknown, issue: z.core.$ZodIssue): string {
  const setting = settingAt(path);
  if (value === undefined) return 'is missing';
  if (setting?.is === 'table' && issue.code === 'custom') return `the table ${issue.message}`;
  if (setting?.is !== 'leaf')
    return `${isScalar(value) ? 'a plain value' : showValue(value)} stands where a group of settings belongs`;
  return `${setting.about.secret ? 'the secret' : showValue(value)} ${wrong(setting, path, issue)}`;
}

const isScalar = (value: unknown) => typeof value !== 'object' || value === null;

function wrong(leaf: Leaf, path: Path, issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  const { kind, entryKind, entryMembers } = leaf;
  const last = path.at(-1);
  if (entryKind && typeof last === 'number') return entryKind.wrong;
  const member = typeof path.at(-2) === 'number' ? entryMembers?.[last as string] : undefined;
  if (member !== undefined) return member.wrong;
  if (entryKind && issue.code === 'too_big') return `has too many entries; the most is ${issue.maximum}`;
  return kind.wrong;
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function unknownSetting(path: Path, key: string, index: number): string {
  const group = settingAt(path);
  // Looking for the nearest costs time, and what is beyond the limit is not shown.
  const near = group?.is === 'group' && index < problemLimit ? nearest(key, Object.keys(group.members)) : undefined;
  return near === undefined ? 'there is no such setting' : `there is no such setting; did you mean "${near}"?`;
}

/** The candidate most like `word`, if any is like it at all: at most a third of its letters differ. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const bounded = word.slice(0, 64).toLowerCase();
  const ranked = candidates
    .map(candidate => ({ candidate, distance: distance(bounded, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Levenshtein distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
