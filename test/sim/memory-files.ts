/** Files in memory that take their time, as a disk does, on a virtual clock. */
import type { BlockFile } from '../../firmware/audio/wav-writer.ts';
import type { Clock } from '../../firmware/lib/clock.ts';
import type { Files } from '../../firmware/media/files.ts';

export class MemoryFiles implements Files {
  readonly contents = new Map<string, Uint8Array>();
  readonly #clock: Clock;
  /** What each operation takes, milliseconds. */
  slowMs = 5;
  /** Set: the disk is full, broken … in these words. */
  fails: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(path: string, limitBytes: number, done: (file: Uint8Array | { why: string }) => void) {
    const bytes = this.contents.get(path);
    this.#later(() => {
      if (bytes === undefined) return done({ why: `${path} does not exist` });
      done(bytes.length > limitBytes ? { why: `${path} is too large` } : bytes);
    });
  }

  create(path: string): BlockFile {
    this.contents.set(path, new Uint8Array(0));
    return {
      write: (bytes, position, done) => {
        // Taken when asked for, as a kernel does; told later.
        const old = this.contents.get(path)!;
        const all = new Uint8Array(Math.max(old.length, position + bytes.length));
        all.set(old);
        all.set(bytes, position);
        if (this.fails === undefined) this.contents.set(path, all);
        this.#later(() => done(this.fails));
      },
      close: done => this.#later(() => done()),
    };
  }

  #later(task: () => void) {
    this.#clock.after(this.slowMs, task, 'disk');
  }
}
