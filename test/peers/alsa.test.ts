/** Both ALSA drivers on a sound card that runs in real time: what is spoken is heard, what is played comes out. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../firmware/lib/clock.ts';
import { loadAlsa } from '../../hal/audio/alsa-library.ts';
import { loadMixer } from '../../hal/audio/mixer-library.ts';
import { openAudio } from '../../hal/audio/open.ts';
import type { AudioDevice, AudioSpec, AudioStatus } from '../../hal/contracts.ts';
import { blockSnr, sine, toneLevel, toneSnr } from '../sim/tone.ts';
import { VirtualSoundCard } from './virtual-sound-card.ts';

const rate = 16000;
const card = new VirtualSoundCard();
let device: AudioDevice | undefined;

beforeAll(async () => {
  execFileSync(join(import.meta.dirname, '../../scripts/native'));
  // libasound reads the C environment, which is this process's own: tests of a file run in one process.
  Object.assign(process.env, card.env);
});
afterEach(async () => {
  await device?.stop();
  await card.stopServer();
});
afterAll(() => card.stop());

type Fill = (toPlay: Int16Array) => void;

/** A device on the card, and all that it hears. */
function run(driver: AudioSpec['driver'], fill: Fill = () => {}) {
  const spec = { driver, capture: 'intercom_in', playback: 'intercom_out', rate, periodMs: 10, bufferMs: 40 };
  const opened = openAudio(spec, systemClock);
  device = opened;
  const statuses: AudioStatus[] = [];
  let heard = new Int16Array(0);
  const all: Int16Array[] = [];
  opened.start(
    (captured, toPlay) => {
      all.push(captured.slice());
      fill(toPlay);
    },
    status => statuses.push(status),
  );
  return {
    device: opened,
    statuses,
    /** The last `seconds` that were heard. */
    lastHeard(seconds: number) {
      heard = Int16Array.from(all.slice(-seconds * 100).flatMap(frame => [...frame]));
      return heard;
    },
    status: (is: AudioStatus['is'], count = 1) =>
      until(`status ${is}`, () => statuses.filter(status => status.is === is).length >= count),
    frames: (count: number) => {
      const from = opened.counters.frames;
      return until(`${count} frames`, () => opened.counters.frames >= from + count);
    },
  };
}

const until = (what: string, isTrue: () => boolean) =>
  expect.poll(isTrue, { interval: 10, timeout: 20_000, message: what }).toBe(true);

/** The loudspeaker's cleanest half second of a few tries: a machine that is busy with other tests drops frames too. */
async function bestSnr(hz: number) {
  let best = Number.NEGATIVE_INFINITY;
  for (let tries = 0; tries < 15 && best < 40; tries++) {
    const ear = await card.listen(2, rate);
    for (let from = 0; from + rate / 2 <= ear.length; from += rate / 10) {
      best = Math.max(best, toneSnr(ear.subarray(from, from + rate / 2), hz, rate));
    }
  }
  return best;
}

function tone(hz: number): Fill {
  let n = 0;
  return toPlay => {
    for (let i = 0; i < toPlay.length; i++) toPlay[i] = Math.round(8000 * Math.sin((2 * Math.PI * hz * n++) / rate));
  };
}

describe.each(['alsa', 'packages'] as const)('the driver %s', driver => {
  test('hears what is spoken', async () => {
    await card.start();
    const { lastHeard, status } = run(driver);
    await status('up');
    card.speak(sine(440, 8000, rate, 10), rate);
    await until('the tone', () => toneLevel(lastHeard(0.2), 440, rate) > 7000);
    // The package drops samples now and then, which a sine through half a second does not forgive.
    const clean = {
      alsa: () => toneSnr(lastHeard(0.5), 440, rate) > 40,
      packages: () => blockSnr(lastHeard(0.5), 440, rate) > 25,
    };
    await until('half a clean second', clean[driver]);
  });

  test('plays what it is given', async () => {
    await card.start();
    const { status, frames } = run(driver, tone(1000));
    await status('up');
    await frames(150);
    expect(await bestSnr(1000)).toBeGreaterThan(40);
  });

  test('gives frames while the sound server is away, and is up again when it is back', async () => {
    await card.start();
    const { device, statuses, status, frames, lastHeard } = run(driver);
    await status('up');
    await card.stopServer();
    await status('down');
    await frames(300);
    expect(device.counters.silentFrames).toBeGreaterThan(200);
    await card.start();
    await status('up', 2);
    expect(device.counters.reopened).toBe(1);
    card.speak(sine(600, 8000, rate, 10), rate);
    await until('the tone', () => toneLevel(lastHeard(0.2), 600, rate) > 7000);
    expect(statuses.at(-1)?.is).not.toBe('down');
  });

  test('starts without a sound server, and finds it when it comes', async () => {
    const { status, frames, device } = run(driver);
    await status('down');
    await frames(100);
    await card.start();
    await status('up');
    expect(device.counters.reopened).toBe(0);
  });
});

describe('the driver alsa', () => {
  test('comes through a late thread with one healed gap, and plays cleanly again', async () => {
    await card.start();
    const { device, status, frames } = run('alsa', tone(1000));
    await status('up');
    await frames(50);
    const before = device.counters.xruns;
    const untilMs = systemClock.now() + 300;
    while (systemClock.now() < untilMs);
    await until('an xrun', () => device.counters.xruns > before);
    await status('xrun');
    await frames(150);
    expect(await bestSnr(1000)).toBeGreaterThan(40);
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
      rate,
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
    const { device, status, frames } = run('alsa');
    await status('up');
    await frames(200);
    expect(device.playbackDelayMs()).toBeGreaterThan(0);
    expect(device.playbackDelayMs()).toBeLessThan(60);
  });

  test.each([
    ['PCM', 'no_such_card'],
    ['card', 'hw:CARD=Nowhere'],
  ])('says that there is no such %s', async (_, capture) => {
    const opened = openAudio(
      { driver: 'alsa', capture, playback: 'intercom_out', rate, periodMs: 10, bufferMs: 40 },
      systemClock,
    );
    device = opened;
    const statuses: AudioStatus[] = [];
    opened.start(
      () => {},
      status => statuses.push(status),
    );
    await until('down', () => statuses.length > 0);
    expect(statuses[0]).toMatchObject({ is: 'down', code: 'missing', why: expect.stringContaining(capture) });
  });
});
