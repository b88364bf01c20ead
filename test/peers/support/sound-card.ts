/** What both ALSA drivers do on a sound card that runs in real time: what is spoken is heard, what is played comes out. */
import type { ChildProcess } from 'node:child_process';
import { expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { openAudio } from '../../../hal/audio/open.ts';
import type { AudioSpec, AudioStatus } from '../../../hal/contracts.ts';
import { blockSnr, sine, toneLevel, toneSnr } from '../../sim/tone.ts';

export const RATE = 16_000;

/** A sound card with a mouth before its microphone and an ear before its loudspeaker. */
export interface RealCard {
  /** ALSA names. */
  readonly capture: string;
  readonly playback: string;
  /** Plugs it in. */
  start(): Promise<void>;
  /** Pulls it out in whatever it does. */
  pull(): Promise<void>;
  /** Plays mono samples where the microphone hears them. The process ends with them. */
  speak(samples: Int16Array, rate: number): ChildProcess;
  /** Records for `seconds` what the loudspeaker plays. */
  listen(seconds: number, rate: number): Promise<Int16Array>;
}

export type Fill = (toPlay: Int16Array) => void;

export const until = (what: string, isTrue: () => boolean) =>
  expect.poll(isTrue, { interval: 10, timeout: 20_000, message: what }).toBe(true);

export type Listener = ReturnType<typeof listenOn>;

/** A running device on the card, and all that it hears. */
export function listenOn(
  driver: AudioSpec['driver'],
  { capture, playback }: Pick<RealCard, 'capture' | 'playback'>,
  fill: Fill = () => {},
) {
  const device = openAudio({ driver, capture, playback, rate: RATE, periodMs: 10, bufferMs: 40 }, systemClock);
  const statuses: AudioStatus[] = [];
  const all: Int16Array[] = [];
  device.start(
    (captured, toPlay) => {
      all.push(captured.slice());
      fill(toPlay);
    },
    status => statuses.push(status),
  );
  return {
    device,
    statuses,
    /** The last `seconds` that were heard. */
    lastHeard: (seconds: number) => Int16Array.from(all.slice(-seconds * 100).flatMap(frame => [...frame])),
    status: (is: AudioStatus['is'], count = 1) =>
      until(`status ${is}`, () => statuses.filter(status => status.is === is).length >= count),
    frames: (count: number) => {
      const from = device.counters.frames;
      return until(`${count} frames`, () => device.counters.frames >= from + count);
    },
  };
}

/** The loudspeaker's cleanest half second of a few tries: a machine that is busy with other tests drops frames too. */
export async function bestSnr(card: RealCard, hz: number) {
  let best = Number.NEGATIVE_INFINITY;
  for (let tries = 0; tries < 15 && best < 40; tries++) {
    const ear = await card.listen(2, RATE);
    for (let from = 0; from + RATE / 2 <= ear.length; from += RATE / 10) {
      best = Math.max(best, toneSnr(ear.subarray(from, from + RATE / 2), hz, RATE));
    }
  }
  return best;
}

export function tone(hz: number): Fill {
  let n = 0;
  return toPlay => {
    for (let i = 0; i < toPlay.length; i++) toPlay[i] = Math.round(8000 * Math.sin((2 * Math.PI * hz * n++) / RATE));
  };
}

/** `onStart` hears of every device, to stop it after the test. */
export function soundCardContract(driver: 'alsa' | 'packages', card: RealCard, onStart: (listener: Listener) => void) {
  const run = (fill?: Fill) => {
    const listener = listenOn(driver, card, fill);
    onStart(listener);
    return listener;
  };

  test('hears what is spoken', async () => {
    await card.start();
    const { lastHeard, status } = run();
    await status('up');
    card.speak(sine(440, 8000, RATE, 10), RATE);
    await until('the tone', () => toneLevel(lastHeard(0.2), 440, RATE) > 7000);
    // The package drops samples now and then, which a sine through half a second does not forgive.
    const clean = {
      alsa: () => toneSnr(lastHeard(0.5), 440, RATE) > 40,
      packages: () => blockSnr(lastHeard(0.5), 440, RATE) > 25,
    };
    await until('half a clean second', clean[driver]);
  });

  test('plays what it is given', async () => {
    await card.start();
    const { status, frames } = run(tone(1000));
    await status('up');
    await frames(150);
    expect(await bestSnr(card, 1000)).toBeGreaterThan(40);
  });

  test('gives frames while the card is away, and is up again when it is back', async () => {
    await card.start();
    const { device, statuses, status, frames, lastHeard } = run();
    await status('up');
    await card.pull();
    await status('down');
    await frames(300);
    expect(device.counters.silentFrames).toBeGreaterThan(200);
    await card.start();
    await status('up', 2);
    expect(device.counters.reopened).toBe(1);
    card.speak(sine(600, 8000, RATE, 10), RATE);
    await until('the tone', () => toneLevel(lastHeard(0.2), 600, RATE) > 7000);
    expect(statuses.at(-1)?.is).not.toBe('down');
  });

  test('starts without a card, and finds it when it comes', async () => {
    const { status, frames, device } = run();
    await status('down');
    await frames(100);
    await card.start();
    await status('up');
    expect(device.counters.reopened).toBe(0);
  });
}
