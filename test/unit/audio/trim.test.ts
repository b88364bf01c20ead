import { expect, test } from 'vitest';
import { Trim } from '../../../firmware/audio/trim.ts';
import { toneSnr } from '../../sim/tone.ts';

const RATE = 16_000;
const FRAME = 160;
const HZ = 1_000;

/** Plays a tone, off by so much all the time; how much of it was taken, and what came out. */
function played(earlyMs: number, frames: number) {
  let taken = 0;
  const trim = new Trim(FRAME, chunk => {
    for (let i = 0; i < chunk.length; i++) chunk[i] = 8_000 * Math.sin((2 * Math.PI * HZ * taken++) / RATE);
  });
  trim.correct(earlyMs);
  const heard = new Int16Array(frames * FRAME);
  for (let at = 0; at < heard.length; at += FRAME) trim.read(heard.subarray(at, at + FRAME), 0);
  return { taken, heard };
}

test('what is on time goes through as it is', () => {
  const { taken, heard } = played(0, 101);
  expect(taken).toBeLessThanOrEqual(102 * FRAME);
  expect(toneSnr(heard.subarray(FRAME), HZ, RATE)).toBeGreaterThan(80);
});

test('what is late is played faster, what is early slower, each without noise', () => {
  expect(played(-5, 100).taken).toBe(102 * FRAME);
  expect(played(5, 100).taken).toBe(100 * FRAME);
  // 5 ms: 1 %.
  expect(toneSnr(played(-5, 101).heard.subarray(FRAME), HZ * 1.01, RATE)).toBeGreaterThan(60);
  expect(toneSnr(played(5, 101).heard.subarray(FRAME), HZ * 0.99, RATE)).toBeGreaterThan(60);
});

test('never by more than a third of a semitone', () => {
  expect(played(-1_000, 100).taken).toBeLessThanOrEqual(103 * FRAME);
});

test('the first sample is played first, and every chunk is told when it will be heard', () => {
  const told: number[] = [];
  let first = true;
  const trim = new Trim(FRAME, (chunk, index) => {
    told.push(index);
    chunk.fill(0);
    if (first) chunk[0] = 10_000;
    first = false;
  });
  const frame = new Int16Array(FRAME);
  trim.read(frame, 40);
  expect(frame.indexOf(10_000)).toBe(40);
  trim.read(frame, 0);
  expect(told.map(Math.round)).toEqual([40, 40]);
});
