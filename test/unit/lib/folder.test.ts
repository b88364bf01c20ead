/** Folders are made with those above them, or it is said why not; never an endless try. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeFolder } from '../../../firmware/lib/folder.ts';

const room = mkdtempSync(join(tmpdir(), 'porter-folder-'));
afterEach(() => rmSync(room, { recursive: true, force: true }));

test('makes what is missing, and leaves what is there', () => {
  makeFolder(join(room, 'a/b/c'));
  makeFolder(join(room, 'a/b/c'));
  expect(existsSync(join(room, 'a/b/c'))).toBe(true);
});

test('a file in the way is an error', () => {
  makeFolder(room);
  writeFileSync(join(room, 'file'), '');
  expect(() => makeFolder(join(room, 'file/below'))).toThrow();
});

test('a file system that takes no folders is an error at once', () => {
  expect(() => makeFolder('/proc/porter/state')).toThrow(/ENOENT|EACCES|EPERM/);
});
