/** The tests that run inside the guest: one file at a time, on the only processor that it has. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: join(import.meta.dirname, '../../..'),
  // The guest's root cannot be written.
  cacheDir: '/run/vitest',
  test: {
    include: ['test/rigs/guest/**/*.guest.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    pool: 'forks',
  },
});
