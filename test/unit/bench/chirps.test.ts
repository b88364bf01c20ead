import { describe, expect, test } from 'vitest';
import { g711Decoder, g711Encoder } from '../../../firmware/audio/codecs/g711.ts';
import { resampler } from '../../../firmware/audio/resample.ts';
import { chirpRound, delays, type Found, findChirps, LONGEST_MS, RATE } from '../../bench/chirps.ts';
import { seeded } from '../../sim/seeded.ts';

const round = chirpRound();

/** Rounds of chirps that begin after so many samples of silence. */
function late(samples: number, rounds = 2): Int16Array {
  const sound = new Int16Array(samples + rounds * round.length);
  for (let index = 0; index < rounds; index++) sound.set(round, samples + index * round.length);
  return sound;
}

const allDelays = (spoken: Int16Array, heard: Int16Array) => delays(findChirps(spoken), findChirps(heard));

describe('finding chirps', () => {
  test('finds each of them once, in order, where it was put', () => {
    const found = findChirps(late(0));
    expect(found.map(({ kind }) => kind)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(found[4]!.atMs - found[0]!.atMs).toBeCloseTo(LONGEST_MS, 3);
  });

  test.each([0, 1, 17, 320, 1600, 16_000])('a delay of %i samples is found to a tenth of a millisecond', samples => {
    for (const ms of allDelays(late(0), late(samples)).slice(0, 4)) expect(ms).toBeCloseTo((samples * 1000) / RATE, 1);
  });

  test('also at a tenth of the loudness, under noise and through a telephone', () => {
    const random = seeded(1);
    const quiet = late(800).map(sample => Math.round(sample / 10 + 60 * (random.next() - 0.5)));
    for (const ms of allDelays(late(0), quiet).slice(0, 4)) expect(ms).toBeCloseTo(50, 0);
    const narrow = new Int16Array(quiet.length);
    const down = resampler(RATE, 8_000, late(800).length);
    const count = down.process(late(800), late(800).length, narrow);
    const bytes = new Uint8Array(count);
    const encoder = g711Encoder('PCMA');
    const decoder = g711Decoder('PCMA');
    encoder.encode(narrow.subarray(0, count), bytes);
    for (let at = 0; at + 160 <= count; at += 160) decoder.decode(bytes.subarray(at, at + 160), narrow.subarray(at));
    const wide = new Int16Array(2 * count + 1);
    const up = resampler(8_000, RATE, count);
    up.process(narrow, count, wide);
    const heardAt = 50 + down.delayMs + up.delayMs;
    for (const ms of allDelays(late(0), wide).slice(0, 4)) expect(ms).toBeCloseTo(heardAt, 0);
  });

  test('finds none in silence, in noise and in a tone', () => {
    const random = seeded(2);
    const noise = new Int16Array(RATE).map(() => Math.round(20_000 * (random.next() - 0.5)));
    const tone = new Int16Array(RATE).map((_, index) =>
      Math.round(9_000 * Math.sin((2 * Math.PI * 1000 * index) / RATE)),
    );
    for (const sound of [new Int16Array(RATE), noise, tone, new Int16Array(10)]) expect(findChirps(sound)).toEqual([]);
  });
});

describe('delays', () => {
  const at = (kind: number, atMs: number): Found => ({ kind, atMs });

  test('takes the next chirp of the same kind', () => {
    expect(delays([at(0, 100), at(1, 450)], [at(1, 90), at(0, 170), at(1, 520), at(0, 1_570)])).toEqual([70, 70]);
  });

  test('one that never came is undefined, and is not taken for the same of the next round', () => {
    expect(delays([at(0, 100)], [at(1, 120), at(0, 100 + LONGEST_MS + 70)])).toEqual([undefined]);
  });
});
