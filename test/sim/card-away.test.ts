import { expect, test } from 'vitest';
import { cardAway } from './card-away.ts';

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

test.each(['both', 'capture', 'playback'] as const)(
  'a call is heard again within half a second of the return of its card: %s',
  pulled => {
    const returns = SEEDS.map(seed => cardAway(pulled, seed));
    for (const { loudspeakerMs = 0, microphoneMs = 0 } of returns)
      expect(Math.max(loudspeakerMs, microphoneMs)).toBeLessThan(500);
    expect(returns.every(({ loudspeakerMs }) => (loudspeakerMs === undefined) === (pulled === 'capture'))).toBe(true);
    expect(returns.every(({ microphoneMs }) => (microphoneMs === undefined) === (pulled === 'playback'))).toBe(true);
  },
);
