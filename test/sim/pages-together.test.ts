/** Speakers that hear one page play it at the same moment: fifty of them, each with its own crystals, card, clock and way. */
import { describe, expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import { inOrder, losing, spikes, uniform } from './jitter-models.ts';
import { Building, type BuildingOptions } from './speakers.ts';

/** Two sounds closer than this are heard as one. Milliseconds. */
const TOGETHER_MS = 5;

const wire = (random: Random) => losing(random, uniform(random, 0.3, 10), 0.02);
const queue = (random: Random) => losing(random, inOrder(spikes(random, 0.3, 2, 40, 10_000)), 0.02);
const within = (random: Random, ms: number) => (2 * random.next() - 1) * ms;

/** Half of the speakers are switched on in the midst of the page. */
function paged(seconds: number, speakers: number, options: Partial<BuildingOptions> = {}) {
  const building = new Building({ seed: 1, delayMs: 200, path: wire, ...options });
  building.add(speakers / 2);
  building.run(100);
  building.page();
  building.run((seconds / 2) * 1000);
  building.add(speakers / 2);
  building.run((seconds / 2) * 1000);
  const spreads = building.spreads();
  expect(spreads.length).toBeGreaterThan(seconds * 1.5);
  return Math.max(...spreads);
}

describe('at most 5 ms apart, late comers included', () => {
  test('by the RTP clock alone, for a minute', { timeout: 240_000 }, () => {
    expect(paged(60, 50)).toBeLessThan(TOGETHER_MS);
  });

  test('behind a queue that fills now and then', () => {
    expect(paged(8, 20, { path: queue, seed: 2 })).toBeLessThan(TOGETHER_MS);
  });

  test('by sender reports, though the way to some is longer', () => {
    const far = (random: Random) => losing(random, uniform(random, random.next() < 0.5 ? 0.3 : 8, 1), 0.02);
    const wallClock = (_: number, random: Random) => ({ offMs: within(random, 1), vouched: true });
    expect(paged(8, 20, { path: far, reports: { wallClock } })).toBeLessThan(TOGETHER_MS);
  });

  test('where half of the wall clocks are wrong by up to 20 ms, and known to be', () => {
    const wallClock = (index: number, random: Random) =>
      index % 2 === 0 ? { offMs: within(random, 1), vouched: true } : { offMs: within(random, 20), vouched: false };
    expect(paged(8, 20, { reports: { wallClock } })).toBeLessThan(TOGETHER_MS);
  });

  test('where the wall clock of the sender is wrong by a minute', () => {
    const wallClock = (_: number, random: Random) => ({ offMs: within(random, 1), vouched: true });
    expect(paged(8, 20, { reports: { senderIsOffMs: -60_000, wallClock } })).toBeLessThan(TOGETHER_MS);
  });
});

test('without a common moment they are as far apart as their sound cards', () => {
  expect(paged(6, 10, { delayMs: 0 })).toBeGreaterThan(50);
});
