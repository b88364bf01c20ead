/** The kernel's watchdog restarts the machine when the firmware stands still, and not while it runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../peers/support/until.ts';
import { startProgram } from './in-guest.ts';

const WITHIN_MS = 300_000;

test('a firmware that is stopped is bitten within its 15 s, one that runs is not', async () => {
  const guest = await startProgram('bite.ts', [], { timeTravel: true, withinMs: WITHIN_MS });
  const told = () => {
    const file = join(guest.share, 'told');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  try {
    let ended = false;
    void guest.ended.finally(() => {
      ended = true;
    });
    const bitten = () => guest.console().includes('softdog: Initiating system reboot');
    await until('a bite, or an end', () => bitten() || ended, { withinMs: WITHIN_MS });
    // The machine starts again: what it does from here on is not looked at.
    guest.kill('it has been bitten');
    await guest.ended;
    expect([bitten(), told()], guest.story()).toEqual([true, 'fed\n']);
  } finally {
    guest.discard();
  }
});
