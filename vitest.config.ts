import { defineConfig } from 'vitest/config';

const TIMELESS = ['uml-hal', 'uml-device', 'uml-power', 'uml-watchdog', 'uml-days', 'arm64-units'].map(
  name => `test/rigs/${name}.test.ts`,
);

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/{unit,sim,flows,fuzz}/**/*.test.ts'], testTimeout: 60_000 } },
      // Real software in real time: what another tenant of the machine has spoiled may run once more, and what fails
      // twice fails. Sound cards, ports and processes are shared, so one file at a time.
      {
        test: {
          name: 'peers',
          include: ['test/{peers,demo}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: 1,
        },
      },
      // The device on a kernel of its own where time stands still while anybody computes, and units that do not look at
      // the time, played instruction by instruction: two at once disturb nobody.
      {
        test: {
          name: 'timeless',
          include: TIMELESS,
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          maxWorkers: 2,
          globalSetup: ['test/rigs/support/kernel-first.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // In real time: on that kernel, as another processor's program, and as an installed package.
      {
        test: {
          name: 'rigs',
          include: ['test/rigs/**/*.test.ts'],
          exclude: TIMELESS,
          sequence: { groupOrder: 2 },
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
