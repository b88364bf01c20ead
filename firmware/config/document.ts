/** A configuration document: JSON as a person or the fleet wrote it, before anything is believed of it. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

/** A document beyond this is refused unread. */
export const documentLimitBytes = 1024 * 1024;

/** Nesting beyond this is refused: every walk over a document is recursive. */
const depthLimit = 16;

export type Read = { document: JsonObject } | { why: string };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a document's bytes. `why` is a sentence that follows the document's name. */
export function readDocument(bytes: Uint8Array): Read {
  if (bytes.byteLength > documentLimitBytes) {
    return { why: `is ${bytes.byteLength} bytes long; the most is ${documentLimitBytes}` };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // V8 quotes the text around the fault, which may be a secret: only the place is told.
    const place = /\(line \d+ column \d+\)/.exec(String(error))?.[0];
    return { why: error instanceof SyntaxError ? `is not JSON${place ? ` ${place}` : ''}` : 'is not UTF-8 text' };
  }
  return checkDocument(value);
}

/** Takes any JSON value as a document, if it can be one. */
export function checkDocument(value: unknown): Read {
  if (!isObject(value)) return { why: 'is not a JSON object' };
  if (!isShallow(value, depthLimit)) return { why: `is nested deeper than ${depthLimit} levels` };
  return { document: value };
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every(member => isShallow(member, levels - 1));
}

/**
 * Merges a patch into a target (RFC 7396): objects member by member, `null` removes, everything else replaces.
 * Neither argument is changed. Both must have passed `checkDocument`.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  // Entries, not assignment: a member called `__proto__` stays a member.
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The same text for the same content: members in order of name. For hashes and comparison. */
export function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map(key => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join(',')}}`;
}
