import { expect, test } from 'vitest';
import { LoudspeakerClock } from '../../../firmware/media/loudspeaker-clock.ts';
import { seeded } from '../../sim/seeded.ts';

test('follows a card through frames that come in twos and delays told roughly', () => {
  const random = seeded(1);
  const clock = new LoudspeakerClock();
  for (let frame = 0; frame < 2_000; frame++) {
    // Its crystal is slow by 100 ppm; two frames are made at once, the second into a fuller buffer.
    const dueMs = frame * 10.001;
    const madeMs = (frame - (frame % 2)) * 10.001;
    const heardMs = clock.next(madeMs, 80 + (dueMs - madeMs) + 4 * random.next() - 2);
    if (frame > 64) expect(Math.abs(heardMs - dueMs - 80)).toBeLessThan(0.7);
  }
});

test('a card that was opened anew is believed after a fifth of a second', () => {
  const clock = new LoudspeakerClock();
  for (let frame = 0; frame < 500; frame++) clock.next(frame * 10, 80);
  for (let frame = 500; frame < 519; frame++) clock.next(frame * 10, 40);
  expect(clock.next(5_190, 40)).toBe(5_230);
});
