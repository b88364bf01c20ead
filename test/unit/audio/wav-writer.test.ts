import { expect, test } from 'vitest';
import { isBadWav, parseWav } from '../../../firmware/audio/wav.ts';
import { WavWriter } from '../../../firmware/audio/wav-writer.ts';
import { MemoryFiles } from '../../sim/memory-files.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const RATE = 8000;

function recording(slowMs = 5) {
  const clock = new VirtualClock();
  const files = new MemoryFiles(clock);
  files.slowMs = slowMs;
  const writer = new WavWriter(files.create('r.wav'), RATE);
  let next = 0;
  return {
    clock,
    files,
    writer,
    /** Ten milliseconds of samples that count up. */
    frame() {
      writer.append(new Int16Array(80).map(() => next++ % 30_000));
      clock.advance(10);
    },
    samples(): number[] {
      const wav = parseWav(files.contents.get('r.wav')!);
      if (isBadWav(wav)) throw new Error(wav.malformed);
      const samples = new Int16Array(wav.length);
      wav.read(0, wav.length, samples);
      return [...samples];
    },
  };
}

const counting = (length: number) => Array.from({ length }, (_, index) => index % 30_000);

test('writes every sample, in order, to the last', () => {
  const it = recording();
  for (let frame = 0; frame < 537; frame++) it.frame();
  let closed: unknown = 'not yet';
  it.writer.close(why => {
    closed = why;
  });
  it.clock.advance(100);
  expect(closed).toBeUndefined();
  expect(it.samples()).toEqual(counting(537 * 80));
});

test('a process that is killed leaves a file that plays to within a second of its death', () => {
  const it = recording();
  for (let frame = 0; frame < 370; frame++) it.frame();
  expect(it.samples()).toEqual(counting(3 * RATE));
});

test('an empty recording has no sound, and no error', () => {
  const it = recording();
  let closed: unknown = 'not yet';
  it.writer.close(why => {
    closed = why;
  });
  it.clock.advance(100);
  expect(closed).toBeUndefined();
});

test('a disk that holds its breath costs nothing for three seconds, then sound, never time or memory', () => {
  const it = recording(2900);
  for (let frame = 0; frame < 290; frame++) it.frame();
  expect(it.writer.droppedSamples).toBe(0);
  for (let frame = 0; frame < 1000; frame++) it.frame();
  expect(it.writer.droppedSamples).toBeGreaterThan(RATE);
  let closed = false;
  it.writer.close(() => {
    closed = true;
  });
  it.clock.advance(60_000);
  expect(closed).toBe(true);
  expect(it.samples().length + it.writer.droppedSamples).toBe(1290 * 80);
});

test('a full disk is told at the end, once, and nothing more is written', () => {
  const it = recording();
  it.files.fails = 'no space left';
  for (let frame = 0; frame < 500; frame++) it.frame();
  const told: unknown[] = [];
  it.writer.close(why => told.push(why));
  it.writer.close(why => told.push(why));
  it.clock.advance(100);
  expect(told).toEqual(['no space left']);
});
