/** The watchdog is fed while the parts answer, bites when they do not, and is put away at the stop. */
import { expect, test } from 'vitest';
import { silentLog } from '../../../firmware/lib/log.ts';
import { Supervisor, WATCHDOG_MS } from '../../../firmware/supervise/supervisor.ts';
import { HalError } from '../../../hal/contracts.ts';
import { SimulatedWatchdog } from '../../../hal/watchdog/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

function supervised() {
  const clock = new VirtualClock();
  const state = { alive: true, bitten: false };
  const watchdog = new SimulatedWatchdog(clock, () => {
    state.bitten = true;
  });
  const probe = (answered: () => void) => state.alive && answered();
  const supervisor = new Supervisor({ clock, log: silentLog, watchdog, probe });
  return { clock, state, supervisor };
}

test('a device whose parts answer is never bitten', () => {
  const { clock, state, supervisor } = supervised();
  supervisor.start();
  clock.advance(24 * 3_600_000);
  expect(state.bitten).toBe(false);
});

test('a device whose media thread hangs is bitten in time', () => {
  const { clock, supervisor, state } = supervised();
  supervisor.start();
  clock.advance(60_000);
  state.alive = false;
  clock.advance(WATCHDOG_MS);
  expect(state.bitten).toBe(true);
});

test('after the stop nothing bites and nothing is armed', () => {
  const { clock, state, supervisor } = supervised();
  supervisor.start();
  supervisor.stop();
  clock.advance(10 * WATCHDOG_MS);
  expect(state.bitten).toBe(false);
  expect(clock.armed).toEqual([]);
});

test('a watchdog that cannot be fed is told of and tried again: the device itself goes on', () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  let feeds = 0;
  const supervisor = new Supervisor({
    clock,
    log: { ...silentLog, error: event => told.push(event) },
    watchdog: {
      start() {},
      feed() {
        feeds++;
        throw new HalError('io', 'the watchdog has gone');
      },
      stop() {},
    },
    probe: answered => answered(),
  });
  supervisor.start();
  clock.advance(WATCHDOG_MS);
  expect(feeds).toBe(3);
  expect(told).toEqual(['watchdog not fed', 'watchdog not fed', 'watchdog not fed']);
});
