/** A door relay: closed as long as stated, never longer, and honest when it does not follow. */
import { expect, test } from 'vitest';
import { RELAY_LIMIT_MS, Relay } from '../../../firmware/io/relay.ts';
import type { DigitalOutput } from '../../../hal/contracts.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

/** An output in memory that can weld shut or refuse. */
class Coil implements DigitalOutput {
  readonly name = 'relay-1';
  readonly safe: boolean;
  level: boolean;
  welded = false;
  dead = false;
  constructor(safe = false) {
    this.safe = safe;
    this.level = safe;
  }
  write(active: boolean) {
    if (this.dead) throw new Error('relay-1 has gone');
    if (!this.welded) this.level = active;
  }
  read() {
    return this.level;
  }
  close() {}
}

function relay(coil = new Coil()) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const relay = new Relay(clock, coil, event => log.push(`${clock.now()} ${event.is}`));
  return { clock, coil, log, relay };
}

test('closes for the time that is asked and opens again', () => {
  const { relay: door, clock, coil, log } = relay();
  expect(door.pulse(3_000)).toBeUndefined();
  clock.advance(2_999);
  expect(coil.level).toBe(true);
  clock.advance(1);
  expect(coil.level).toBe(false);
  expect(log).toEqual(['0 closed', '3000 opened']);
});

test('asked again while closed it starts the time anew and says so once', () => {
  const { relay: door, clock, log } = relay();
  door.pulse(3_000);
  clock.advance(2_000);
  door.pulse(3_000);
  clock.advance(10_000);
  expect(log).toEqual(['0 closed', '5000 opened']);
});

test('never stays closed beyond the limit, whatever is asked', () => {
  const { relay: door, clock, coil } = relay();
  door.pulse(24 * 3_600_000);
  clock.advance(RELAY_LIMIT_MS);
  expect(coil.level).toBe(false);
});

test('a relay whose safe level is active is de-energised to open', () => {
  const { relay: door, clock, coil } = relay(new Coil(true));
  door.pulse(1_000);
  expect(coil.level).toBe(false);
  clock.advance(1_000);
  expect(coil.level).toBe(true);
});

test('a relay that does not follow is a fault and not an opened door', () => {
  const { relay: door, coil, log, clock } = relay();
  coil.welded = true;
  expect(door.pulse(3_000)).toContain('did not follow');
  expect(door.active).toBe(false);
  expect(log).toEqual(['0 fault']);
  expect(clock.armed).toEqual([]);
});

test('a line that has gone is a fault, and stop leaves the safe level', () => {
  const { relay: door, coil, log, clock } = relay();
  door.pulse(3_000);
  door.stop();
  expect(coil.level).toBe(false);
  expect(clock.armed).toEqual([]);
  coil.dead = true;
  expect(door.pulse(3_000)).toBe('relay-1 has gone');
  expect(log.slice(0, 3)).toEqual(['0 closed', '0 opened', '0 fault']);
});
