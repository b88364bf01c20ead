/** The demo itself, as a newcomer runs it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'porter-demo-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('scripts/demo shows the main job and exits 0', async () => {
  const child = spawn(resolve(import.meta.dirname, '../../scripts/demo'), ['--out', join(folder, 'out')]);
  let told = '';
  child.stdout.on('data', chunk => {
    told += chunk;
  });
  child.stderr.on('data', chunk => {
    told += chunk;
  });
  const code = await new Promise(done => child.once('exit', done));
  expect(code, told).toBe(0);
  expect(told).toContain('All of it was seen and heard.');
  expect(told).not.toContain('MISSING');
});
