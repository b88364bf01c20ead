/** An LED keeps its rhythm, changes at once, and ends dark. */
import { expect, test } from 'vitest';
import { Led } from '../../../firmware/io/led.ts';
import { blinkFast, doubleFlash, on } from '../../../firmware/io/patterns.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

function lamp() {
  const clock = new VirtualClock();
  const log: string[] = [];
  const write = (active: boolean) => void log.push(`${clock.now()} ${active ? 'on' : 'off'}`);
  const led = new Led(clock, { name: 'led-1', safe: false, write, read: () => false, close() {} });
  return { clock, log, led };
}

test('blinks in the rhythm of its pattern', () => {
  const { clock, log, led } = lamp();
  led.show(blinkFast);
  clock.advance(500);
  expect(log).toEqual(['0 on', '125 off', '250 on', '375 off', '500 on']);
});

test('a pattern of four beats repeats as a whole', () => {
  const { clock, log, led } = lamp();
  led.show(doubleFlash);
  clock.advance(1_100);
  expect(log).toEqual(['0 on', '100 off', '200 on', '300 off', '1000 on', '1100 off']);
});

test('a new pattern replaces the old at once; the same one again changes nothing', () => {
  const { clock, log, led } = lamp();
  led.show(blinkFast);
  clock.advance(60);
  led.show(on);
  led.show(on);
  clock.advance(1_000);
  expect(log).toEqual(['0 on', '60 on']);
});

test('stop leaves it dark and nothing armed', () => {
  const { clock, log, led } = lamp();
  led.show(blinkFast);
  led.stop();
  expect(log.at(-1)).toBe('0 off');
  expect(clock.armed).toEqual([]);
});
