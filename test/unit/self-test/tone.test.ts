import { expect, test } from 'vitest';
import { TONE_TEST_MS, type Tone, toneTest } from '../../../firmware/self-test/tone.ts';
import { seeded } from '../../sim/seeded.ts';

const RATE = 16_000;
const FRAME = RATE / 100;

/** A room: what of the loudspeaker comes to the microphone, some frames later, and what else is to be heard there. */
function testIn({ path = 0, noise = 0, lateFrames = 8 }: { path?: number; noise?: number; lateFrames?: number }) {
  const random = seeded(7);
  let result: Tone | undefined;
  const process = toneTest(RATE, tone => {
    result = tone;
  });
  const onTheWay = Array.from({ length: lateFrames }, () => new Int16Array(FRAME));
  const captured = new Int16Array(FRAME);
  let loudest = 0;
  for (let atMs = 0; atMs <= TONE_TEST_MS; atMs += 10) {
    const heard = onTheWay.shift()!;
    for (let index = 0; index < FRAME; index++)
      captured[index] = heard[index]! * path + noise * 32_768 * (2 * random.next() - 1);
    const toPlay = new Int16Array(FRAME);
    process(captured, toPlay);
    loudest = Math.max(loudest, ...toPlay);
    onTheWay.push(toPlay);
  }
  return { ...result!, loudest };
}

test('a microphone that hears the loudspeaker 40 dB down, and a tenth of a second late, hears it', () => {
  const { heard, toneDb, loudest } = testIn({ path: 0.01, lateFrames: 10 });
  expect(heard).toBe(true);
  expect(toneDb).toBeGreaterThan(-63);
  expect(toneDb).toBeLessThan(-57);
  // Nobody is startled: 20 dB below full scale.
  expect(loudest).toBeLessThan(3_300);
});

test('a dead microphone hears nothing, not even itself', () => {
  expect(testIn({})).toMatchObject({ heard: false, silenceDb: -100, toneDb: -100 });
});

test('the noise of a street is not the tone, and the tone is heard through it', () => {
  expect(testIn({ noise: 0.05 }).heard).toBe(false);
  expect(testIn({ noise: 0.05, path: 1 }).heard).toBe(true);
});
