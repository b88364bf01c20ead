/** The same on a real file system, with a real process that is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigStore } from '../../../firmware/config/store.ts';
import { seeded } from '../../sim/seeded.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porter-store-'));
});
afterEach(() => rm(folder, { recursive: true }));

const writer = join(import.meta.dirname, 'store-writer.ts');

/** Runs a process that saves one document after another, and kills it after so many lines of progress. */
async function killedAfter(progress: number, from: number): Promise<number> {
  const child = spawn(process.execPath, [writer, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let saved = from;
  let lines = 0;
  for await (const chunk of child.stdout) {
    for (const line of String(chunk).trim().split('\n')) {
      saved = Math.max(saved, Number(line));
      if (++lines === progress) child.kill('SIGKILL');
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return saved;
}

test('kill -9 while saving, again and again: what was told as saved, or what followed, is there', async () => {
  const random = seeded(1);
  let saved = 0;
  for (let round = 0; round < 8; round++) {
    saved = await killedAfter(1 + Math.floor(random.next() * 15), saved);
    const stored = await new ConfigStore(folder).load();
    expect(stored.problem, `round ${round}`).toBeUndefined();
    expect(Number(stored.latest?.revision), `round ${round}`).toBeGreaterThanOrEqual(saved);
    saved = Number(stored.latest?.revision);
  }
  expect(saved).toBeGreaterThan(8);
});

test('only the owner may read what is kept', async () => {
  await new ConfigStore(folder).save({ revision: '1', fetchedAt: '', document: {} });
  expect((await stat(join(folder, 'provisioned.json'))).mode & 0o777).toBe(0o600);
});

test('a state directory that is not there is an error with a code', async () => {
  const store = new ConfigStore(join(folder, 'absent'));
  expect(await store.load()).toEqual({});
  expect(await store.save({ revision: '1', fetchedAt: '', document: {} })).toMatchObject({
    saved: false,
    code: 'ENOENT',
  });
});
