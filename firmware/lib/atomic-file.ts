/** Files that are always whole: after a power cut or `kill -9` at any moment there is the old content or the new. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file being written. */
export interface OpenFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the bytes have reached the medium. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is needed of a file system; errors are Node's, with `code`. */
export interface Files {
  /** Undefined where there is no such file. Rejects with `EFBIG` above the limit. */
  read(path: string, limitBytes: number): Promise<Uint8Array | undefined>;
  /** Makes or empties a file that only its owner may read. */
  create(path: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** No error where there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder as lasting as their files. */
  syncFolder(path: string): Promise<void>;
}

const ownerOnly = 0o600;

export const systemFiles: Files = {
  async read(path, limitBytes) {
    const handle = await open(path, 'r').catch(absent);
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      if (size > limitBytes) {
        throw Object.assign(new Error(`${path} is ${size} bytes long; the most is ${limitBytes}`), { code: 'EFBIG' });
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  },
  async create(path) {
    const handle = await open(path, 'w', ownerOnly);
    return { write: bytes => handle.writeFile(bytes), sync: () => handle.sync(), close: () => handle.close() };
  },
  rename,
  remove: path => rm(path, { force: true }),
  async syncFolder(path) {
    const handle: FileHandle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Writes a whole file: beside it, to the medium, then over it in one step. On an error (disk full, read-only) the old
 * file is untouched and the error, with its `code`, is thrown. One writer at a time for one path.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, files: Files = systemFiles): Promise<void> {
  const beside = `${path}.new`;
  try {
    const file = await files.create(beside);
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(beside, path);
  } catch (error) {
    await files.remove(beside).catch(() => {});
    throw error;
  }
  await files.syncFolder(dirname(path));
}
