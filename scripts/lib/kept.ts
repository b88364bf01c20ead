/** What takes minutes to make is made once and kept outside the clone, under a name that says what it was made of. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** `PORTER_CACHE`, or the user's own cache. */
const cacheRoot = () =>
  process.env.PORTER_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'porter');

/** Short enough for a file name, long enough for never meeting another. Hexadecimal digits. */
const KEY_DIGITS = 16;

/** A key of everything that the thing is made of. */
export function keyOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(':').update(part);
  return hash.digest('hex').slice(0, KEY_DIGITS);
}

/**
 * The folder `<cache>/<kind>-<key>`, made by `make` in a folder of another name when it is not there: half of one is never
 * seen, and of two that make it at once the first wins.
 */
export async function kept(kind: string, key: string, make: (folder: string) => Promise<void> | void): Promise<string> {
  const folder = join(cacheRoot(), `${kind}-${key}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.unfinished-`);
  try {
    await make(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
