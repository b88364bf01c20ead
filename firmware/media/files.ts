/** Files that the engine plays and records, aside from the sound: asked for now, there later. */
import type { BlockFile } from '../audio/wav-writer.ts';

export interface Files {
  /** Reads a whole file of at most `limitBytes`. `done` gets it, or why not in words for the user. */
  read(path: string, limitBytes: number, done: (file: Uint8Array | { why: string }) => void): void;
  /** Creates, or empties, a file. That it cannot be is told at the first write. */
  create(path: string): BlockFile;
}
