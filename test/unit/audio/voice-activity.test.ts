import { expect, test } from 'vitest';
import { VoiceActivity } from '../../../firmware/audio/voice-activity.ts';
import { speechOf } from '../../sim/room.ts';
import { seeded } from '../../sim/seeded.ts';

const FRAME = 160;

/** Which frames are speech, of a sound and noise of this level. */
function judged(sound: (at: number) => number, noise: number, seconds: number): boolean[] {
  const activity = new VoiceActivity();
  const random = seeded(3);
  const frame = new Int16Array(FRAME);
  return Array.from({ length: seconds * 100 }, (_, index) => {
    for (let at = 0; at < FRAME; at++)
      frame[at] = sound(index * FRAME + at) + (random.next() - 0.5) * 2 * Math.sqrt(3) * noise;
    return activity.isSpeech(frame);
  });
}

const share = (frames: boolean[]) => frames.filter(Boolean).length / frames.length;

test('steady soft noise is silence after a moment', () => {
  for (const noise of [0, 5, 30, 100]) expect(share(judged(() => 0, noise, 10).slice(100))).toBeLessThan(0.05);
});

test.each([1, 0.2, 0.05])('words at %s of their loudness are speech to their ends', loudness => {
  const voice = speechOf('visitor');
  const noise = 5;
  const frames = judged(at => loudness * (voice[at - 32_000] ?? 0), noise, 2 + Math.floor(voice.length / 16_000));
  for (let index = 200; index < frames.length; index++) {
    let power = 0;
    for (let at = 0; at < FRAME; at++) power += (loudness * (voice[index * FRAME + at - 32_000] ?? 0)) ** 2;
    if (Math.sqrt(power / FRAME) > 4 * noise) expect(frames[index]).toBe(true);
  }
});

test('a steady tone that is not soft is never taken for silence', () => {
  expect(share(judged(at => 1000 * Math.sin(at / 5), 5, 20))).toBe(1);
});
