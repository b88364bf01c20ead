/** A configuration that would let a relay move at power-up is refused, naming the line. */
import { expect, test } from 'vitest';
import { resolveLayers } from '../../firmware/config/load.ts';
import { wiringErrors } from '../../firmware/wiring.ts';
import { findBoard } from '../../hal/boards/catalog.ts';

const problems = (local: Parameters<typeof resolveLayers>[0]['local']) => {
  const result = resolveLayers({ local, board: findBoard, checkBoard: wiringErrors });
  return 'problems' in result ? result.problems : [];
};

test.each(['simulated', 'raspberry-pi-4', 'raspberry-pi-5', 'raspberry-pi-zero-2', 'generic'])(
  'the board %s as it comes is safe',
  name => {
    expect(problems({ board: { name } })).toEqual([]);
  },
);

test('an active-high relay on a pin that is pulled up at power-up is refused', () => {
  const board = { name: 'raspberry-pi-5', outputs: { 'relay-1': { line: 3 } } };
  expect(problems({ board })).toEqual([expect.stringMatching(/relay-1.*GPIO 3 is pulled up/)]);
  expect(problems({ board: { ...board, outputs: { 'relay-1': { line: 3, activeLow: true } } } })).toEqual([]);
});

test('two lines on one pin are refused', () => {
  const board = { name: 'raspberry-pi-4', outputs: { 'relay-1': { line: 23 } } };
  expect(problems({ board })[0]).toContain('line 23 of pinctrl-bcm2711 is also relay-');
});
