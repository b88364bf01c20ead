/** What a rig needs of the machine, and what to say when it is not there. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The rig cannot run here: what is missing, and what to do. */
export class RigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RigError';
  }
}

/** Where Debian keeps what only root usually calls. */
const MORE_FOLDERS = ['/usr/sbin', '/sbin'];

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS];
  return folders.map(folder => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `needed`: program or absolute path → its Debian package. Throws RigError that names every one that is missing. */
export function mustHave(rig: string, needed: Readonly<Record<string, string>>) {
  const missing = Object.entries(needed).filter(([what]) =>
    what.startsWith('/') ? !isThere(what) : findProgram(what) === undefined,
  );
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
  throw new RigError(
    `the rig ${rig} lacks ${missing.map(([what]) => what).join(', ')}; run: sudo apt-get install --no-install-recommends ${packages}`,
  );
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
