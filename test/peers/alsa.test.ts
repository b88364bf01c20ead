/** Both ALSA drivers on a sound card that runs in real time: what is spoken is heard, what is played comes out. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../firmware/lib/clock.ts';
import { loadAlsa } from '../../hal/audio/alsa-library.ts';
import { loadMixer } from '../../hal/audio/mixer-library.ts';
import {
  bestSnr,
  type Fill,
  type Listener,
  listenOn,
  RATE,
  soundCardContract,
  tone,
  until,
} from './support/sound-card.ts';
import { VirtualSoundCard } from './virtual-sound-card.ts';

const card = new VirtualSoundCard();
const listeners: Listener[] = [];

beforeAll(async () => {
  execFileSync(join(import.meta.dirname, '../../scripts/native'));
  // libasound reads the C environment, which is this process's own: tests of a file run in one process.
  Object.assign(process.env, card.env);
});
afterEach(async () => {
  for (const { device } of listeners.splice(0)) await device.stop();
  await card.pull();
});
afterAll(() => card.stop());

function run(fill?: Fill, capture = card.capture) {
  const listener = listenOn('alsa', { capture, playback: card.playback }, fill);
  listeners.push(listener);
  return listener;
}

describe.each(['alsa', 'packages'] as const)('the driver %s', driver => {
  soundCardContract(driver, card, listener => listeners.push(listener));
});

describe('the driver alsa', () => {
  test('comes through a late thread with one healed gap, and plays cleanly again', async () => {
    await card.start();
    const { device, status, frames } = run(tone(1000));
    await status('up');
    await frames(50);
    const before = device.counters.xruns;
    const untilMs = systemClock.now() + 300;
    while (systemClock.now() < untilMs);
    await until('an xrun', () => device.counters.xruns > before);
    await status('xrun');
    await frames(150);
    expect(await bestSnr(card, 1000)).toBeGreaterThan(40);
  });

  test('leaves a mixer alone that does not count in decibels, and says which is not there', async () => {
    await card.start();
    const open = loadMixer();
    const mixer = open('intercom_mixer');
    expect(mixer.elements).toEqual([]);
    mixer.close();
    expect(() => open('nowhere')).toThrow('the mixer of nowhere: No such file or directory');
  });

  test('takes stereo where there is no mono', () => {
    const pcm = loadAlsa()({
      name: 'stereo_only',
      side: 'playback',
      rate: RATE,
      periodFrames: 160,
      bufferFrames: 640,
      startFrames: 320,
      stereo: false,
    });
    expect(pcm.channels).toBe(2);
    pcm.close();
  });

  test('knows how long the loudspeaker takes', async () => {
    await card.start();
    const { device, status, frames } = run();
    await status('up');
    await frames(200);
    expect(device.playbackDelayMs()).toBeGreaterThan(0);
    expect(device.playbackDelayMs()).toBeLessThan(60);
  });

  test.each([
    ['PCM', 'no_such_card'],
    ['card', 'hw:CARD=Nowhere'],
  ])('says that there is no such %s', async (_, capture) => {
    const { statuses } = run(undefined, capture);
    await until('down', () => statuses.length > 0);
    expect(statuses[0]).toMatchObject({ is: 'down', code: 'missing', why: expect.stringContaining(capture) });
  });
});
