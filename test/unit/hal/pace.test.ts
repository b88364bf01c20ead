import { expect, test } from 'vitest';
import { MAX_FRAMES_AT_ONCE, Pacer } from '../../../hal/audio/pace.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

/** A clock whose timers fire late: what is due in a stall comes at its end. */
class StallingClock extends VirtualClock {
  #aheadMs = 0;

  override now() {
    return super.now() + this.#aheadMs;
  }

  stall(ms: number) {
    this.#aheadMs += ms;
  }
}

function paced(clock: VirtualClock) {
  const frames: number[] = [];
  const skips: number[] = [];
  const pacer = new Pacer(
    clock,
    () => frames.push(clock.now()),
    () => skips.push(clock.now()),
  );
  return { frames, skips, pacer };
}

test('a frame comes each 10 ms, the first after 10', () => {
  const clock = new VirtualClock();
  const { frames, pacer } = paced(clock);
  clock.advance(7);
  pacer.start();
  pacer.start();
  clock.advance(35);
  expect(frames).toEqual([17, 27, 37]);
});

test('a period of two frames runs them together, and none is lost or early', () => {
  const clock = new StallingClock();
  const frames: number[] = [];
  const pacer = new Pacer(
    clock,
    () => frames.push(clock.now()),
    () => {},
    20,
  );
  pacer.start();
  clock.advance(45);
  expect(frames).toEqual([20, 20, 40, 40]);
  clock.stall(37);
  clock.advance(20);
  expect(frames).toHaveLength(10);
  pacer.stop();
});

test('a thread too slow for its frames hears everything else between them', () => {
  const clock = new StallingClock();
  let frames = 0;
  let heardAfter = 0;
  const pacer = new Pacer(clock, () => {
    // Each takes longer than there is until the next.
    clock.stall(15);
    frames++;
    if (frames === 1)
      clock.after(0, () => {
        heardAfter = frames;
      });
    if (frames === 5 * MAX_FRAMES_AT_ONCE) pacer.stop();
  });
  pacer.start();
  clock.advance(100);
  expect(frames).toBe(5 * MAX_FRAMES_AT_ONCE);
  expect(heardAfter).toBe(MAX_FRAMES_AT_ONCE);
});

test('delays do not add up: an hour has 360,000 frames whatever the timers do', () => {
  const clock = new StallingClock();
  const { frames, pacer, skips } = paced(clock);
  pacer.start();
  for (let i = 0; i < 3600; i++) {
    clock.stall(3);
    clock.advance(997);
  }
  clock.advance(0);
  expect(frames.length).toBeGreaterThan(360_000 - 3);
  expect(frames.length).toBeLessThanOrEqual(360_000);
  expect(skips).toEqual([]);
});

test('frames missed in a short stall are made up for', () => {
  const clock = new StallingClock();
  const { frames, pacer, skips } = paced(clock);
  pacer.start();
  clock.stall(400);
  clock.advance(100);
  expect(frames).toHaveLength(50);
  expect(skips).toEqual([]);
});

test('frames missed in a long stall are left out, and it is said', () => {
  const clock = new StallingClock();
  const { frames, pacer, skips } = paced(clock);
  pacer.start();
  clock.stall(60_000);
  clock.advance(100);
  expect(skips).toHaveLength(1);
  expect(frames.length).toBeLessThan(15);
  expect(frames.length).toBeGreaterThan(8);
});

test('nothing comes after stop, not even within a burst, and it can start again', () => {
  const clock = new StallingClock();
  let count = 0;
  const pacer = new Pacer(clock, () => {
    if (++count === 3) pacer.stop();
  });
  pacer.start();
  clock.stall(200);
  clock.advance(100);
  expect(count).toBe(3);
  expect(clock.idle).toBe(true);
  pacer.start();
  clock.advance(20);
  expect(count).toBe(5);
});
