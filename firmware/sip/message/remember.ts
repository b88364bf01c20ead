/**
 * What has just been read is not read again: of one message the same Via, From, To and URIs are asked for by parser,
 * transaction, dialog and call. What is read is shared, so nobody may change it.
 */

/** Texts that are remembered for each kind: more than one message has. */
const PLACES = 4;

export interface Remembering<T> {
  (text: string): T;
  /** This is what reading it would give. */
  keep(text: string, result: T): void;
}

export function remembering<T>(read: (text: string) => T): Remembering<T> {
  const texts: (string | undefined)[] = new Array(PLACES).fill(undefined);
  const results: (T | undefined)[] = new Array(PLACES).fill(undefined);
  let next = 0;
  const keep = (text: string, result: T) => {
    texts[next] = text;
    results[next] = result;
    next = (next + 1) % PLACES;
  };
  const remembered = (text: string) => {
    for (let place = 0; place < PLACES; place++) if (texts[place] === text) return results[place] as T;
    const result = read(text);
    keep(text, result);
    return result;
  };
  return Object.assign(remembered, { keep });
}
