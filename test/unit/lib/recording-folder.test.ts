import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordingFolder, recordingName } from '../../../firmware/lib/recording-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porter-recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (second: number) => recordingName(Date.UTC(2026, 10, 22, 15, 7, second), 'call');
const keep = (name: string, bytes: number) => writeFileSync(join(folder, name), new Uint8Array(bytes));

test('recordings are called by their time', () => {
  expect(at(33)).toBe('20261122T150733.000Z-call.wav');
});

test('the oldest give way to a new one, as many as it takes, and nothing else does', () => {
  for (const second of [1, 2, 3]) keep(at(second), 1000);
  keep('holiday.wav', 5000);
  expect(recordingFolder.next(folder, at(4), 1500, 3000)).toBe(join(folder, at(4)));
  expect(readdirSync(folder).sort()).toEqual([at(3), 'holiday.wav']);
});

test('a folder that is not there is made', () => {
  expect(recordingFolder.next(join(folder, 'a/b'), at(1), 10, 100)).toBe(join(folder, 'a/b', at(1)));
  expect(readdirSync(join(folder, 'a'))).toEqual(['b']);
});

test('what cannot be is said', () => {
  expect(recordingFolder.next(folder, at(1), 200, 100)).toEqual({
    why: 'one recording could have 200 bytes, all together may have 100',
  });
  keep('file', 1);
  expect(recordingFolder.next(join(folder, 'file'), at(1), 1, 100)).toHaveProperty('why');
});
