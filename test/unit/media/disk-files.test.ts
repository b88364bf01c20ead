import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diskFiles } from '../../../firmware/media/disk-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porter-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string) => join(directory, name);

const read = (file: string, limit = 1000) =>
  new Promise<Uint8Array | { why: string }>(resolve => diskFiles.read(file, limit, resolve));

describe('reading', () => {
  test('gives the bytes of a file, up to the limit', async () => {
    writeFileSync(path('a'), new Uint8Array(1000).fill(7));
    expect(await read(path('a'))).toEqual(new Uint8Array(1000).fill(7));
    writeFileSync(path('empty'), '');
    expect(await read(path('empty'))).toEqual(new Uint8Array(0));
  });

  test('says what is wrong', async () => {
    writeFileSync(path('big'), new Uint8Array(1001));
    expect(await read(path('big'))).toEqual({ why: `${path('big')} has 1001 bytes, the limit is 1000` });
    expect(await read(path('none'))).toEqual({ why: `${path('none')} does not exist` });
    expect(await read(directory)).toEqual({ why: `${directory} is not a file` });
    expect(await read('/dev/zero')).toEqual({ why: '/dev/zero is not a file' });
  });
});

describe('writing', () => {
  test('puts bytes where they belong, from the moment the file is asked for', async () => {
    writeFileSync(path('r'), 'what was there before and is longer');
    const file = diskFiles.create(path('r'));
    const write = (text: string, position: number) =>
      new Promise<string | undefined>(resolve => file.write(new TextEncoder().encode(text), position, resolve));
    expect(await write('head', 0)).toBeUndefined();
    expect(await write('tail', 4)).toBeUndefined();
    expect(await write('HE', 0)).toBeUndefined();
    expect(await new Promise(resolve => file.close(resolve))).toBeUndefined();
    expect(readFileSync(path('r'), 'utf8')).toBe('HEadtail');
  });

  test('tells at the first write, and at the close, that the file cannot be', async () => {
    const file = diskFiles.create(path('no/such/folder.wav'));
    const why = expect.stringMatching(/does not exist/);
    expect(await new Promise(resolve => file.write(new Uint8Array(1), 0, resolve))).toEqual(why);
    expect(await new Promise(resolve => file.close(resolve))).toEqual(why);
    const full = diskFiles.create('/dev/full');
    expect(await new Promise(resolve => full.write(new Uint8Array(1), 0, resolve))).toMatch(/ENOSPC/);
    await new Promise(resolve => full.close(resolve));
  });
});
