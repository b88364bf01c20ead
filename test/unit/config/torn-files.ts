/** A file system in memory whose power can be cut, and whose disk can fill, at any step. */
import type { Files, OpenFile } from '../../../firmware/lib/atomic-file.ts';

interface Inode {
  bytes: Uint8Array;
  /** What has reached the medium. */
  synced: Uint8Array;
}

export class PowerCut extends Error {}

/** What a power cut leaves of the things that were under way. */
export interface Remains {
  /** Whether the names that no folder sync has covered are the new ones. */
  names: 'old' | 'new';
  /** What is left of bytes that no file sync has covered. */
  bytes: 'none' | 'half' | 'all';
}

export class TornFiles implements Files {
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  /** Steps done; each could have been the last. */
  steps = 0;
  /** The power is cut instead of this step (from 1). */
  cutAt = Number.POSITIVE_INFINITY;
  /** This step fails with the code, those after it do not. */
  fail: { at: number; code: string } | undefined;

  async read(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
    const bytes = this.#names.get(path)?.bytes;
    if (bytes && bytes.length > limitBytes) throw Object.assign(new Error(`${path} is too long`), { code: 'EFBIG' });
    return bytes;
  }

  async create(path: string): Promise<OpenFile> {
    this.#step();
    const inode: Inode = { bytes: new Uint8Array(), synced: new Uint8Array() };
    this.#names.set(path, inode);
    return {
      write: async bytes => {
        // A failing or interrupted write has written something.
        inode.bytes = bytes.slice(0, bytes.length / 2);
        this.#step();
        inode.bytes = bytes;
      },
      sync: async () => {
        this.#step();
        inode.synced = inode.bytes;
      },
      close: async () => this.#step(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    this.#names.set(to, this.#names.get(from)!);
    this.#names.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    this.#names.delete(path);
  }

  async syncFolder(): Promise<void> {
    this.#step();
    this.#syncedNames = new Map(this.#names);
  }

  #step(): void {
    this.steps++;
    if (this.steps >= this.cutAt) throw new PowerCut();
    if (this.steps === this.fail?.at) throw Object.assign(new Error(this.fail.code), { code: this.fail.code });
  }

  /** The file system as it is found after the power has come back. */
  afterPowerCut({ names, bytes }: Remains): TornFiles {
    const found = new TornFiles();
    for (const [path, inode] of names === 'new' ? this.#names : this.#syncedNames) {
      const unsynced = { none: inode.synced, half: inode.bytes.slice(0, inode.bytes.length / 2), all: inode.bytes };
      const left = inode.bytes === inode.synced ? inode.synced : unsynced[bytes];
      found.#names.set(path, { bytes: left, synced: left });
    }
    found.#syncedNames = new Map(found.#names);
    return found;
  }

  /** Damages a file as a dying medium does. */
  overwrite(path: string, bytes: Uint8Array): void {
    this.#names.set(path, { bytes, synced: bytes });
  }

  get paths(): string[] {
    return [...this.#names.keys()].sort();
  }
}
