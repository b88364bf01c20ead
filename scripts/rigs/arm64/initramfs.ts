/** An initramfs as the kernel reads it (Documentation/driver-api/early-userspace/buffer-format.rst: "newc", not packed). */

const MAGIC = '070701';
const FILE = 0o100755;
const FOLDER = 0o040755;

export interface InitramfsFile {
  /** Without a leading slash. */
  path: string;
  content: Buffer;
}

/** Folders come before what is in them. */
export function initramfs(folders: readonly string[], files: readonly InitramfsFile[]): Buffer {
  return Buffer.concat([
    ...folders.map((path, at) => entry(at + 1, path, FOLDER, Buffer.alloc(0))),
    ...files.map(({ path, content }, at) => entry(folders.length + at + 1, path, FILE, content)),
    entry(0, 'TRAILER!!!', 0, Buffer.alloc(0)),
  ]);
}

function entry(inode: number, path: string, mode: number, content: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (two), special file (two), length of the name, checksum (none)
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const head = Buffer.from(MAGIC + numbers.map(number => number.toString(16).padStart(8, '0')).join(''));
  return Buffer.concat([padded(Buffer.concat([head, name])), padded(content)]);
}

/** To a multiple of four bytes. */
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
