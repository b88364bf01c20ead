/** The kernel's watchdog, asked by the kernel's own files what our driver has done to it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { linuxKernel } from '../../../hal/kernel.ts';
import { LinuxWatchdog } from '../../../hal/watchdog/linux.ts';
import { passes } from '../../peers/support/until.ts';
import { codeOf } from '../../unit/hal/gpio-contract.ts';

const fact = (name: string) => readFileSync(`/sys/class/watchdog/watchdog0/${name}`, 'utf8').trim();
const watchdog = (path = '/dev/watchdog') => new LinuxWatchdog(() => linuxKernel(systemClock), path);

test('is armed with whole seconds, kept by feeding, disarmed by the magic close', async () => {
  const guard = watchdog();
  expect(fact('state')).toBe('inactive');
  guard.start(2_500);
  expect([fact('identity'), fact('state'), fact('timeout')]).toEqual(['Software Watchdog', 'active', '3']);
  for (let times = 0; times < 4; times++) {
    await passes(1_500);
    guard.feed();
  }
  expect(codeOf(() => watchdog().start(5_000))).toBe('busy');
  guard.stop();
  expect(fact('state')).toBe('inactive');
  await passes(4_000);
  // Still here.
  guard.start(60_000);
  expect(fact('timeout')).toBe('60');
  guard.stop();
});

test('says that there is none', () => {
  expect(codeOf(() => watchdog('/dev/watchdog7').start(5_000))).toBe('missing');
});

test('refuses a time that the driver cannot keep', () => {
  const guard = watchdog();
  expect(codeOf(() => guard.start(70_000_000))).toBe('io');
  expect(fact('state')).toBe('inactive');
});
