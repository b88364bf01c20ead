/** A whole call over the virtual sound card, by each ALSA driver at both ends: spoken into one mouth, heard at one ear. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../firmware/lib/clock.ts';
import { openAudio } from '../../hal/audio/open.ts';
import type { AudioSpec } from '../../hal/contracts.ts';
import { Bench } from './support/bench.ts';
import { knowing, startDesk } from './support/desk.ts';
import { startDevice } from './support/device.ts';
import { passes, until } from './support/until.ts';
import { VirtualSoundCard } from './virtual-sound-card.ts';

const RATE = 16_000;
const BEEPS = 12;
/** From one beep to the next: longer than any mouth-to-ear delay that could be mistaken. Frames of 10 ms. */
const EVERY_FRAMES = 150;
const BEEP_FRAMES = 10;
const HEARD_ABOVE = 3_000;
/** A beep that is not heard by then was lost. Milliseconds. */
const LOST_AFTER_MS = 1_400;

const card = new VirtualSoundCard();
const bench = new Bench();

beforeAll(async () => {
  execFileSync(join(import.meta.dirname, '../../scripts/native'));
  Object.assign(process.env, card.env);
  await card.start();
});
afterEach(() => bench.stop());
afterAll(() => card.stop());

/** Speaks beeps into `mouth` and listens at `ear`, under one clock, until enough have come. Answers the delay of each. */
async function measure(): Promise<{ delays: number[]; spoken: number }> {
  const spec: AudioSpec = {
    driver: 'alsa',
    capture: 'bench_ear',
    playback: 'bench_mouth',
    rate: RATE,
    periodMs: 10,
    bufferMs: 40,
  };
  const head = openAudio(spec, systemClock);
  let frame = 0;
  let spokenAtMs: number | undefined;
  const delays: number[] = [];
  head.start(
    (captured, toPlay) => {
      const frameMs = frame * 10;
      const phase = frame % EVERY_FRAMES;
      if (phase < BEEP_FRAMES)
        for (let at = 0; at < toPlay.length; at++)
          toPlay[at] = Math.round(12_000 * Math.sin((2 * Math.PI * 1_000 * at) / RATE));
      if (spokenAtMs !== undefined) {
        const at = captured.findIndex(sample => Math.abs(sample) > HEARD_ABOVE);
        if (at >= 0) {
          delays.push(frameMs + (at * 1_000) / RATE - spokenAtMs);
          spokenAtMs = undefined;
        } else if (frameMs - spokenAtMs > LOST_AFTER_MS) spokenAtMs = undefined;
      }
      if (phase === 0) spokenAtMs = frameMs;
      frame++;
    },
    () => {},
  );
  bench.onStop(() => head.stop());
  const spoken = () => Math.ceil(frame / EVERY_FRAMES);
  // A driver that is restarted on a busy machine loses some; the call and the measurement go on.
  const detail = () => `${delays.length} of ${spoken()} beeps were heard`;
  await until(`${BEEPS} beeps`, () => delays.length >= BEEPS, { withinMs: 60_000, detail });
  return { delays, spoken: spoken() };
}

test.each(['alsa', 'packages'] as const)('a call by the driver %s is heard from mouth to ear', async driver => {
  const card = { driver, capture: 'intercom_in', playback: 'intercom_out' };
  const desk = await startDesk(bench, { card });
  const device = await startDevice(bench, { config: { audio: card, ...knowing(desk) } });
  await device.do('press front');
  await device.event('call', 'answered');
  // Both ends hear the same microphone; only the device speaks, so that one path is measured.
  const call = await desk.call();
  call.mute();
  await passes(1_500);
  const { delays, spoken } = await measure();
  delays.sort((a, b) => a - b);
  const [median, least, most] = [delays[delays.length >> 1]!, delays[0]!, delays.at(-1)!].map(Math.round);
  console.log(
    `mouth to ear by ${driver}: median ${median} ms, ${least} to ${most} ms, ${delays.length} of ${spoken} beeps`,
  );
  const { audio } = await device.status();
  expect(audio).toMatchObject({ driver, state: 'up' });
  await device.do('hang up');
  await until('the call has ended', () => call.state === 'ended');
});
