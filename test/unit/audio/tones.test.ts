import { describe, expect, test } from 'vitest';
import { rms } from '../../../firmware/audio/frame.ts';
import { countries, type Tone, ToneGenerator, toneOf } from '../../../firmware/audio/tones.ts';
import { largestStep, toneLevel } from '../../sim/tone.ts';

const RATE = 16_000;

function play(tone: Tone, country: string, seconds: number): { sound: Int16Array; lastedMs: number } {
  const generator = new ToneGenerator(toneOf(tone, country), RATE);
  const sound = new Int16Array(RATE * seconds);
  let lastedMs = 0;
  for (let at = 0; at < sound.length; at += 160) {
    if (generator.read(sound.subarray(at, at + 160))) lastedMs += 10;
  }
  return { sound, lastedMs };
}

/** When sound begins and ends, in milliseconds, to 10. */
function cadenceOf(sound: Int16Array): number[] {
  const changes: number[] = [];
  let on = false;
  for (let at = 0; at < sound.length; at += 160) {
    const now = rms(sound, at, 160) > 200;
    if (now !== on) changes.push((at * 1000) / RATE);
    on = now;
  }
  return changes;
}

describe('ringback, busy and congestion follow ITU-T E.180 Supplement 2', () => {
  test.each([
    ['eu', 'ringback', [425], [0, 1000, 5000, 6000]],
    ['eu', 'busy', [425], [0, 500, 1000, 1500]],
    ['eu', 'congestion', [425], [0, 250, 500, 750]],
    ['de', 'busy', [425], [0, 480, 960, 1440]],
    ['fr', 'ringback', [440], [0, 1500, 5000, 6500]],
    ['uk', 'ringback', [400, 450], [0, 400, 600, 1000, 3000, 3400]],
    ['uk', 'busy', [400], [0, 380, 750, 1130]],
    ['us', 'ringback', [440, 480], [0, 2000, 6000, 8000]],
    ['us', 'busy', [480, 620], [0, 500, 1000, 1500]],
    ['us', 'congestion', [480, 620], [0, 250, 500, 750]],
    ['eu', 'waiting', [425], [0, 200, 400, 600]],
    ['us', 'waiting', [440], [0, 300]],
  ] as const)('%s %s', (country, tone, frequencies, changes) => {
    const { sound } = play(tone, country, 9);
    expect(cadenceOf(sound).slice(0, changes.length)).toEqual(changes);
    const first = sound.subarray(RATE / 50, (RATE * (changes[1] - 20)) / 1000);
    for (const hz of frequencies) expect(toneLevel(first, hz, RATE)).toBeGreaterThan(3000);
  });
});

test.each(['ring', 'answered', 'page', 'refused', 'hangup', 'ringback'] as const)('%s has no click', tone => {
  // A step as large as half the loudest sound itself would be one; the steepest slope of these tones is far less.
  const { sound } = play(tone, 'eu', 3);
  expect(largestStep(sound)).toBeLessThan(12_000);
  expect(Math.abs(sound[0]!)).toBeLessThan(300);
});

test.each([
  ['answered', 250],
  ['page', 800],
  ['refused', 770],
  ['hangup', 330],
] as const)('%s ends by itself after %i ms', (tone, ms) => {
  expect(play(tone, 'eu', 3).lastedMs).toBe(ms);
});

test.each(['ring', 'ringback', 'busy', 'congestion', 'waiting'] as const)('%s goes on until it is stopped', tone => {
  expect(play(tone, 'us', 30).lastedMs).toBe(30_000);
});

test('a country without a table has European tones', () => {
  expect(toneOf('busy', 'atlantis')).toBe(toneOf('busy', 'eu'));
  expect(toneOf('busy', 'constructor')).toBe(toneOf('busy', 'eu'));
});

test('every country has every tone, at 8 to 48 kHz, below full scale', () => {
  const tones: Tone[] = ['waiting', 'ringback', 'busy', 'congestion', 'ring', 'answered', 'page', 'refused', 'hangup'];
  for (const country of countries) {
    for (const tone of tones) {
      for (const rate of [8000, 48_000]) {
        const frame = new Int16Array(rate / 100);
        expect(new ToneGenerator(toneOf(tone, country), rate).read(frame)).toBe(true);
        expect(rms(frame)).toBeGreaterThan(500);
        expect(Math.max(...frame)).toBeLessThan(20_000);
      }
    }
  }
});
