/** What is kept survives power cuts, full disks and damage at every step. */
import { describe, expect, test } from 'vitest';
import type { Provisioned } from '../../../firmware/config/store.ts';
import { ConfigStore } from '../../../firmware/config/store.ts';
import { type Remains, TornFiles } from './torn-files.ts';

const entry = (revision: string): Provisioned => ({
  revision,
  etag: `"${revision}"`,
  fetchedAt: '2026-01-01T00:00:00.000Z',
  document: { device: { name: `Gate ${revision}` } },
});
const latest = '/state/provisioned.json';
const previous = '/state/provisioned.previous.json';

/** A store that has kept some documents, one after the other. */
async function kept(...revisions: string[]) {
  const files = new TornFiles();
  const store = new ConfigStore('/state', files);
  for (const revision of revisions) expect(await store.save(entry(revision))).toEqual({ saved: true });
  files.steps = 0;
  return { files, store };
}

const inUse = async (files: TornFiles) => {
  const { latest, previous } = await new ConfigStore('/state', files).load();
  return (latest ?? previous)?.revision;
};

test('an empty state directory has nothing, and that is no problem', async () => {
  expect(await new ConfigStore('/state', new TornFiles()).load()).toEqual({});
});

test('gives back what was saved, and the one before', async () => {
  const { store } = await kept('r1', 'r2', 'r3');
  expect(await store.load()).toEqual({ latest: entry('r3'), previous: entry('r2') });
});

test('the same document under another ETag does not push out the previous one', async () => {
  const { store } = await kept('r1', 'r2');
  await store.save({ ...entry('r2'), etag: '"other"' });
  expect(await store.load()).toEqual({ latest: { ...entry('r2'), etag: '"other"' }, previous: entry('r1') });
});

describe('a power cut', () => {
  const leftovers: Remains[] = (['old', 'new'] as const).flatMap(names =>
    (['none', 'half', 'all'] as const).map(bytes => ({ names, bytes })),
  );

  test.each([
    ['the first save', [], [undefined, 'next']],
    ['the second save', ['r1'], ['r1', 'next']],
    ['a later save', ['r1', 'r2'], ['r2', 'next']],
  ] as const)('at any step of %s leaves the old document or the new', async (_, before, allowed) => {
    const seen = new Set<string | undefined>();
    for (let cutAt = 1; ; cutAt++) {
      const { files, store } = await kept(...before);
      files.cutAt = cutAt;
      const saved = await store.save(entry('next'));
      for (const remains of leftovers) {
        const found = await inUse(files.afterPowerCut(remains));
        expect(allowed, `cut at step ${cutAt}, ${JSON.stringify(remains)}`).toContain(found);
        seen.add(found);
      }
      if (!saved.saved) continue;
      expect(cutAt).toBeGreaterThan(5);
      break;
    }
    expect([...seen].sort()).toEqual([...allowed].sort());
  });

  test('after the save has been told leaves the new one', async () => {
    const { files, store } = await kept('r1');
    await store.save(entry('r2'));
    for (const remains of leftovers) expect(await inUse(files.afterPowerCut(remains))).toBe('r2');
  });
});

test('a full disk at any step is told with its code; the old document stays and nothing lies about', async () => {
  for (let at = 1; ; at++) {
    const { files, store } = await kept('r1', 'r2');
    files.fail = { at, code: 'ENOSPC' };
    const saved = await store.save(entry('r3'));
    if (saved.saved) break;
    expect(saved).toMatchObject({ code: 'ENOSPC' });
    expect(['r2', 'r3']).toContain(await inUse(files));
    expect(files.paths, `step ${at}`).toEqual([previous, latest].sort());
    expect(await store.save(entry('r3'))).toEqual({ saved: true });
    expect(await inUse(files)).toBe('r3');
  }
});

describe('a damaged file', () => {
  const damages: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['is empty', () => new Uint8Array()],
    ['ends early', bytes => bytes.slice(0, -20)],
    ['is zeros', bytes => new Uint8Array(bytes.length)],
    ['has a changed letter', bytes => Buffer.from(Buffer.from(bytes).toString().replace('Gate', 'Gale'))],
    ['has another ETag', bytes => Buffer.from(Buffer.from(bytes).toString().replace('"\\"r2', '"\\"r9'))],
    ['is other JSON', () => Buffer.from('[1]')],
    [
      'is of an unknown format',
      bytes => Buffer.from(Buffer.from(bytes).toString().replace('"format": 1', '"format": 2')),
    ],
    ['is too long', () => new Uint8Array(3 * 1024 * 1024)],
  ];

  test.each(damages)('that %s is told, and the previous one is taken', async (_, damage) => {
    const { files, store } = await kept('r1', 'r2');
    files.overwrite(latest, damage((await files.read(latest, 1e9))!));
    const stored = await store.load();
    expect(stored.latest).toBeUndefined();
    expect(stored.previous?.revision).toBe('r1');
    expect(stored.problem).toContain(latest);
  });

  test('does not push out the last good one', async () => {
    const { files, store } = await kept('r1', 'r2');
    files.overwrite(latest, Buffer.from('torn'));
    await store.save(entry('r3'));
    expect(await store.load()).toEqual({ latest: entry('r3'), previous: entry('r1') });
  });

  test('beside another: both are told', async () => {
    const { files, store } = await kept('r1', 'r2');
    for (const path of [latest, previous]) files.overwrite(path, Buffer.from('torn'));
    const stored = await store.load();
    expect([stored.latest, stored.previous]).toEqual([undefined, undefined]);
    expect(stored.problem).toBe(`${latest} is damaged; ${previous} is damaged`);
  });
});
