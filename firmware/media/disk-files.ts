/** Files on the disk, without ever waiting for it. */
import { close, fstat, open, read, write } from 'node:fs';
import type { BlockFile } from '../audio/wav-writer.ts';
import type { Files } from './files.ts';

type Done = (why?: string) => void;

export const diskFiles: Files = {
  read(path, limitBytes, done) {
    open(path, 'r', (error, file) => {
      if (error) return done({ why: sentence(path, error) });
      const finish = (result: Uint8Array | { why: string }) => close(file, () => done(result));
      fstat(file, (error, stats) => {
        if (error) return finish({ why: sentence(path, error) });
        if (!stats.isFile()) return finish({ why: `${path} is not a file` });
        if (stats.size > limitBytes) {
          return finish({ why: `${path} has ${stats.size} bytes, the limit is ${limitBytes}` });
        }
        readAll(file, new Uint8Array(stats.size), 0, (error, bytes) =>
          finish(error ? { why: sentence(path, error) } : bytes),
        );
      });
    });
  },
  create: path => new DiskFile(path),
};

type ReadDone = (error: NodeJS.ErrnoException | null, bytes: Uint8Array) => void;

/** A read may bring less than was asked for. */
function readAll(file: number, bytes: Uint8Array, at: number, done: ReadDone) {
  read(file, bytes, at, bytes.length - at, at, (error, count) => {
    if (error || count === 0 || at + count === bytes.length) return done(error, bytes.subarray(0, at + count));
    readAll(file, bytes, at + count, done);
  });
}

const sentence = (path: string, { code, message }: NodeJS.ErrnoException) =>
  code === 'ENOENT' ? `${path} does not exist` : code === 'EACCES' ? `${path} may not be used` : `${path}: ${message}`;

/** Opened when created; the first write waits for that. */
class DiskFile implements BlockFile {
  readonly #path: string;
  #file: number | undefined;
  #failed: string | undefined;
  #whenOpen: (() => void) | undefined;

  constructor(path: string) {
    this.#path = path;
    open(path, 'w', (error, file) => {
      if (error) this.#failed = sentence(path, error);
      else this.#file = file;
      this.#whenOpen?.();
      this.#whenOpen = undefined;
    });
  }

  /** One at a time: the writer waits for `done` before it asks again. */
  #afterOpen(task: () => void) {
    if (this.#file === undefined && this.#failed === undefined) this.#whenOpen = task;
    else task();
  }

  write(bytes: Uint8Array, position: number, done: Done) {
    this.#afterOpen(() => {
      if (this.#file === undefined) return done(this.#failed);
      write(this.#file, bytes, 0, bytes.length, position, (error, written) => {
        if (error) return done(sentence(this.#path, error));
        if (written === bytes.length) return done();
        this.write(bytes.subarray(written), position + written, done);
      });
    });
  }

  close(done: Done) {
    this.#afterOpen(() => {
      if (this.#file === undefined) return done(this.#failed);
      close(this.#file, error => done(error ? sentence(this.#path, error) : undefined));
    });
  }
}
