/** Doubled keys: the same press told by RTP and by INFO counts once, two presses count twice. */
import { expect, test } from 'vitest';
import { type KeyMethod, KeyPresses } from '../../../firmware/controller/key-presses.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

/** The keys that count, of tellings at their times. */
function counted(...tellings: [atMs: number, key: string, by: KeyMethod, lastedMs?: number][]) {
  const clock = new VirtualClock();
  const presses = new KeyPresses(clock);
  let keys = '';
  for (const [atMs, key, by, lastedMs = 100] of tellings) {
    clock.advance(atMs - clock.now());
    if (presses.isNew(key, by, lastedMs)) keys += key;
  }
  return keys;
}

test('one kind alone counts every press', () => {
  expect(counted([0, '5', 'rtp'], [200, '5', 'rtp'], [400, '5', 'rtp'])).toBe('555');
  expect(counted([0, '5', 'info'], [200, '5', 'info'])).toBe('55');
});

test('both kinds count once, whichever comes first', () => {
  expect(counted([0, '5', 'rtp'], [50, '5', 'info'])).toBe('5');
  expect(counted([0, '5', 'info'], [50, '5', 'rtp'])).toBe('5');
});

test('told in all three ways it counts once, in whatever order', () => {
  expect(counted([0, '5', 'rtp'], [50, '5', 'info'], [90, '5', 'audio'])).toBe('5');
  expect(counted([0, '5', 'info'], [90, '5', 'audio'], [120, '5', 'rtp'])).toBe('5');
  expect(
    counted(
      [0, '5', 'info'],
      [100, '5', 'rtp'],
      [150, '5', 'audio'],
      [300, '5', 'info'],
      [400, '5', 'rtp'],
      [450, '5', 'audio'],
    ),
  ).toBe('55');
});

test('a double press told by both is two presses', () => {
  expect(counted([0, '5', 'rtp'], [20, '5', 'info'], [300, '5', 'rtp'], [320, '5', 'info'])).toBe('55');
  expect(counted([0, '5', 'rtp'], [300, '5', 'rtp'], [800, '5', 'info'], [900, '5', 'info'])).toBe('55');
});

test('another key is another press', () => {
  expect(counted([0, '5', 'rtp'], [50, '6', 'info'])).toBe('56');
});

test('an INFO that had to be sent three times is still the same press', () => {
  expect(counted([0, '5', 'rtp'], [1_550, '5', 'info'])).toBe('5');
});

test('an INFO at the start of a long press is the event at its end', () => {
  expect(counted([0, '5', 'info'], [4_900, '5', 'rtp', 4_850])).toBe('5');
});

test('much later it is another press', () => {
  expect(counted([0, '5', 'rtp'], [2_500, '5', 'info'])).toBe('55');
});
