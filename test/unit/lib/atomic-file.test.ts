/** Whole files on a real file system; `config/store.test.ts` cuts the power at every step. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemFiles, writeFileAtomic } from '../../../firmware/lib/atomic-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porter-atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('replaces a file, leaves nothing beside it, and lets only the owner read it', async () => {
  const path = join(folder, 'a.json');
  await writeFile(path, 'old and longer');
  await writeFileAtomic(path, Buffer.from('new'));
  expect(await readFile(path, 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['a.json']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('an error leaves what was there, and nothing beside it', async () => {
  const path = join(folder, 'taken');
  await mkdir(join(path, 'inside'), { recursive: true });
  await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toMatchObject({ code: expect.any(String) });
  expect(await readdir(folder)).toEqual(['taken']);
});

test('reads what is there, nothing where there is nothing, and no more than the limit', async () => {
  const path = join(folder, 'a');
  expect(await systemFiles.read(path, 10)).toBeUndefined();
  await writeFile(path, '12345');
  expect(Buffer.from((await systemFiles.read(path, 5))!).toString()).toBe('12345');
  await expect(systemFiles.read(path, 4)).rejects.toMatchObject({ code: 'EFBIG' });
  await expect(systemFiles.read(folder, 1e6)).rejects.toMatchObject({ code: 'EISDIR' });
});
