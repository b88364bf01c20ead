/** One test's bench: a folder of its own, and everything that was started on it, stopped in reverse. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Bench {
  readonly folder: string;
  readonly #keeps: boolean;
  readonly #stops: (() => Promise<unknown> | unknown)[] = [];

  /** `folder`: one that is there before and after. */
  constructor(folder?: string) {
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'porter-peers-'));
    this.#keeps = folder !== undefined || process.env.PORTER_KEEP !== undefined;
  }

  /** A folder for one peer's files. */
  room(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  onStop(stop: () => Promise<unknown> | unknown) {
    this.#stops.push(stop);
  }

  /** `PORTER_KEEP=1` leaves the folder with its logs and recordings. */
  async stop() {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
    if (!this.#keeps) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    else process.stderr.write(`kept ${this.folder}\n`);
  }
}
