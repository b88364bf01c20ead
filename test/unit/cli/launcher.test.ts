import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { V8_FLAGS } from '../../../scripts/v8-flags.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

test('scripts/porter starts through a symlink, with flags that this Node knows', () => {
  const room = mkdtempSync(join(tmpdir(), 'porter-launcher-'));
  try {
    const link = join(room, 'porter');
    symlinkSync(join(ROOT, 'scripts/porter'), link);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(execFileSync(link, ['--version'], { encoding: 'utf8' }).trim()).toBe(version);
  } finally {
    rmSync(room, { recursive: true });
  }
});

test('each flag is one that this Node knows', () => {
  for (const flag of V8_FLAGS) execFileSync(process.execPath, [flag, '--eval', '']);
});
