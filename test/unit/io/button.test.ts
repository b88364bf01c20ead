/** A call button under fingers, bounces, stuck springs and power cuts. */
import { expect, test } from 'vitest';
import { Button } from '../../../firmware/io/button.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

function pressed({ initially = false } = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const settings = { debounceMs: 30, longAfterMs: 3_000, stuckAfterMs: 60_000 };
  const button = new Button(clock, settings, initially, event => {
    const { is, ...facts } = event;
    log.push(`${clock.now()} ${is}${Object.keys(facts).length > 0 ? ` ${JSON.stringify(facts)}` : ''}`);
  });
  button.start();
  const level = (active: boolean, forMs: number) => {
    button.level(active);
    clock.advance(forMs);
  };
  return { clock, log, button, level };
}

test('a press counts once the level has lasted, and says how long it was', () => {
  const { log, level } = pressed();
  level(true, 500);
  level(false, 100);
  expect(log).toEqual(['30 pressed', '530 released {"heldMs":500,"long":false}']);
});

test('bounces of any rhythm below the debounce time are one press', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const { log, level } = pressed();
    for (let bounce = 0; bounce < 9; bounce++) level(bounce % 2 === 0, 1 + random.next() * 28);
    level(true, 200);
    for (let bounce = 0; bounce < 8; bounce++) level(bounce % 2 === 1, 1 + random.next() * 28);
    level(false, 200);
    expect(
      log.map(line => line.split(' ')[1]),
      `seed ${seed}`,
    ).toEqual(['pressed', 'released']);
  }
});

test('a spike shorter than the debounce time is nothing', () => {
  const { log, level } = pressed();
  level(true, 29);
  level(false, 1_000);
  expect(log).toEqual([]);
});

test('a long press is told when it becomes long, and a stuck button once', () => {
  const { log, level, button } = pressed();
  level(true, 200_000);
  expect(log).toEqual(['30 pressed', '3030 held', '60030 stuck']);
  expect(button.stuck).toBe(true);
  level(false, 100);
  expect(log.slice(3)).toEqual(['200030 released {"heldMs":200000,"long":true}', '200030 freed']);
  expect(button.stuck).toBe(false);
});

test('a button that is down at the start calls nobody, is stuck in time, and works again when let go', () => {
  const { log, level, clock } = pressed({ initially: true });
  clock.advance(60_000);
  expect(log).toEqual(['60000 stuck']);
  level(false, 100);
  level(true, 100);
  expect(log.map(line => line.split(' ')[1])).toEqual(['stuck', 'freed', 'pressed']);
});

test('nothing stays armed after stop', () => {
  const { button, level, clock } = pressed();
  level(true, 100);
  button.level(false);
  button.stop();
  expect(clock.armed).toEqual([]);
});
