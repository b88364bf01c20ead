/** Things that take long to make and are the same each time: kept outside the tree, made when missing, never half. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const home = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
export const CACHE = process.env.PORTER_CACHE || join(home, 'porter');

/** A name for what `parts` describe. */
export const keyOf = (...parts: readonly (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
};

/** The folder of this name, made by `make` in a folder of its own where there is none yet. */
export async function cached(name: string, make: (folder: string) => Promise<void> | void): Promise<string> {
  const there = join(CACHE, name);
  if (existsSync(there)) return there;
  mkdirSync(dirname(there), { recursive: true });
  const folder = mkdtempSync(`${there}.new-`);
  try {
    await make(folder);
    renameSync(folder, there);
  } catch (error) {
    // Somebody else was quicker: theirs is as good.
    if (!existsSync(there)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return there;
}
