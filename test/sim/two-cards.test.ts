import { expect, test } from 'vitest';
import { twoCards } from './two-cards.ts';

test.each([200, -200])(
  'on two cards %s ppm apart the canceller that wants one clock takes out 25 dB, and nothing grows',
  async ppm => {
    const { echoDb, delaysMs, driftPpm, xruns } = await twoCards('speex', ppm, 60);
    for (const db of echoDb.slice(2)) expect(db).toBeGreaterThan(25);
    const settled = delaysMs.slice(1);
    expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(0.5);
    expect(Math.abs(driftPpm + ppm)).toBeLessThan(15);
    expect(xruns).toBe(0);
  },
);
