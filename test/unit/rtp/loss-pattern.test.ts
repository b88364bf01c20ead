import { expect, test } from 'vitest';
import { LossPattern } from '../../../firmware/rtp/loss-pattern.ts';
import { seeded } from '../../sim/seeded.ts';

/** `.` heard, `x` lost. */
function after(packets: string) {
  const pattern = new LossPattern();
  for (const packet of packets) packet === 'x' ? pattern.lost() : pattern.heard();
  return pattern.losses;
}
const gap = '.'.repeat(20);

test('nothing lost is one gap without an end', () => {
  expect(after(gap)).toEqual({
    packets: 20,
    lost: 0,
    share: 0,
    burstDensity: 0,
    gapDensity: 0,
    burstPackets: 0,
    gapPackets: 20,
    burstRatio: 1,
  });
});

test('of nothing nothing is said', () => {
  expect(after('')).toMatchObject({ packets: 0, share: 0, burstDensity: 0, gapDensity: 0, burstRatio: 1 });
});

test('losses far apart belong to the gap', () => {
  expect(after(`${gap}x${gap}x${gap}`)).toMatchObject({ lost: 2, burstPackets: 0, gapDensity: 2 / 62, burstRatio: 1 });
});

test('losses nearer than 16 packets are one burst, from the first to the last', () => {
  const losses = after(`${gap}xx..x${gap}x${gap}`);
  expect(losses).toMatchObject({ lost: 4, burstPackets: 5, burstDensity: 3 / 5, gapDensity: 1 / 61, gapPackets: 30.5 });
});

test('a burst that goes on counts too', () => {
  expect(after(`${gap}xxxx`)).toMatchObject({ burstPackets: 4, burstDensity: 1, gapDensity: 0 });
});

test('sixteen packets heard end a burst, fifteen do not', () => {
  expect(after(`${gap}x${'.'.repeat(15)}x`).burstPackets).toBe(17);
  expect(after(`${gap}x${'.'.repeat(16)}x`).burstPackets).toBe(0);
});

test('the burst ratio is one for losses by chance, and the mean length for losses in a row', () => {
  const random = seeded(1);
  const chance = after(Array.from({ length: 20_000 }, () => (random.next() < 0.1 ? 'x' : '.')).join(''));
  expect(chance.burstRatio).toBeCloseTo(1, 1);
  expect(after(`${'.'.repeat(95)}xxxxx`.repeat(50)).burstRatio).toBeCloseTo(5 * 0.95, 5);
});
