import { expect, test } from 'vitest';
import { BEST_R, meanOpinion, rFactor } from '../../../firmware/rtp/e-model.ts';

const way = { delayMs: 0, lossShare: 0, burstRatio: 1 };

test('a perfect way is as good as a telephone can be: R 93.2, MOS 4.41', () => {
  expect(rFactor(way)).toBe(BEST_R);
  expect(meanOpinion(BEST_R)).toBeCloseTo(4.41, 2);
});

// ITU-T G.107 Annex B, table B.1.
test.each([
  [90, 4.34],
  [80, 4.02],
  [70, 3.6],
  [60, 3.1],
  [50, 2.58],
])('R %d is MOS %d', (r, mos) => {
  expect(meanOpinion(r)).toBeCloseTo(mos, 2);
});

test('loss, loss in bursts and delay each make it worse', () => {
  const lossy = rFactor({ ...way, lossShare: 0.05 });
  expect(lossy).toBeCloseTo(93.2 - (95 * 5) / (5 + 25.1), 5);
  expect(rFactor({ ...way, lossShare: 0.05, burstRatio: 4 })).toBeLessThan(lossy);
  expect(rFactor({ ...way, delayMs: 150 })).toBeCloseTo(89.6, 5);
  expect(rFactor({ ...way, delayMs: 400 })).toBeLessThan(60);
});

test('never leaves its scale', () => {
  expect(rFactor({ delayMs: 1e6, lossShare: 1, burstRatio: 1e6 })).toBe(0);
  for (let r = -10; r <= 110; r++) {
    expect(meanOpinion(r)).toBeGreaterThanOrEqual(1);
    expect(meanOpinion(r)).toBeLessThanOrEqual(4.5);
  }
});
