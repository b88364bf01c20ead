/** A folder of recordings that never grows beyond its limit: the oldest give way. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folder.ts';

export interface RecordingFolder {
  /**
   * The path for a new file of at most `bytes`, with room made for it below `limitBytes`; or why there is none. Only files
   * of this device's recordings are ever deleted.
   */
  next(folder: string, name: string, bytes: number, limitBytes: number): string | { why: string };
}

/** What a recording is called; nothing else in the folder is touched. */
const OURS = /^\d{8}T\d{6}(\.\d{3})?Z-[a-z]+\.wav$/;

/** `20261122T150733.123Z-call.wav`: sorts by time. */
export const recordingName = (atMs: number, what: string) =>
  `${new Date(atMs).toISOString().replace(/[-:]/g, '')}-${what}.wav`;

export const recordingFolder: RecordingFolder = {
  next(folder, name, bytes, limitBytes) {
    if (bytes > limitBytes)
      return { why: `one recording could have ${bytes} bytes, all together may have ${limitBytes}` };
    try {
      makeFolder(folder);
      const files = readdirSync(folder)
        .filter(file => OURS.test(file))
        .sort()
        .map(file => ({ path: join(folder, file), bytes: statSync(join(folder, file)).size }));
      let total = files.reduce((sum, file) => sum + file.bytes, 0);
      for (const file of files) {
        if (total + bytes <= limitBytes) break;
        rmSync(file.path);
        total -= file.bytes;
      }
      return join(folder, name);
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    }
  },
};
