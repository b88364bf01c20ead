import { expect, test } from 'vitest';
import { AutomaticGain } from '../../../firmware/audio/agc.ts';
import { Ambient } from '../../../firmware/audio/ambient.ts';
import { DelayLine, MAX_DELAY_MS } from '../../../firmware/audio/delay-line.ts';
import { CEILING, Limiter } from '../../../firmware/audio/limiter.ts';
import { speechOf } from '../../sim/room.ts';

const RATE = 16_000;
const FRAME = 160;

const tone = (level: number, from = 0) =>
  Int32Array.from({ length: FRAME }, (_, at) => level * Math.sin(((at + from) * 2 * Math.PI) / 40));
const noise = (level: number, seed: { state: number }) =>
  Int16Array.from({ length: FRAME }, () => {
    seed.state = (seed.state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return (seed.state / 0x3fff_ffff - 1) * level * Math.sqrt(3);
  });

test('the limiter leaves what fits exactly as it is', () => {
  const limiter = new Limiter(RATE);
  const out = new Int16Array(FRAME);
  limiter.apply(tone(29_000), out);
  expect([...out]).toEqual([...Int16Array.from(tone(29_000))]);
});

test('three times too loud is brought under the ceiling and keeps its shape; quiet again, it comes back up', () => {
  const limiter = new Limiter(RATE);
  const out = new Int16Array(FRAME);
  for (let frame = 0; frame < 5; frame++) limiter.apply(tone(90_000), out);
  expect(Math.max(...out)).toBeLessThanOrEqual(CEILING);
  const shape = tone(90_000);
  for (let at = 0; at < FRAME; at++) expect(Math.abs(out[at]! - shape[at]! * (CEILING / 90_000))).toBeLessThan(60);
  for (let frame = 0; frame < 120; frame++) limiter.apply(tone(8000), out);
  expect(limiter.factor).toBe(1);
  expect(Math.max(...out)).toBe(8000);
});

test('a sudden peak never leaves above the ceiling, nor as a step', () => {
  const limiter = new Limiter(RATE);
  const out = new Int16Array(FRAME);
  limiter.apply(tone(20_000), out);
  limiter.apply(tone(200_000), out);
  expect(Math.max(...out.map(Math.abs))).toBeLessThanOrEqual(CEILING);
});

function spoken(automatic: AutomaticGain, factor: number, seconds: number): number {
  const voice = speechOf('visitor');
  const frame = new Int16Array(FRAME);
  for (let at = 0; at < seconds * RATE; at += FRAME) {
    for (let index = 0; index < FRAME; index++) frame[index] = voice[(at + index) % voice.length]! * factor;
    automatic.process(frame, -70, false);
  }
  return automatic.db;
}

test('automatic gain brings a quiet and a loud voice together, and no further than its limits', () => {
  const quiet = spoken(new AutomaticGain(), 0.15, 40);
  const loud = spoken(new AutomaticGain(), 1, 40);
  // 16.5 dB apart when spoken.
  expect(quiet).toBeGreaterThan(4);
  expect(loud).toBeLessThan(0.5);
  expect(Math.abs(quiet - loud - 16.5)).toBeLessThan(5);
  expect(spoken(new AutomaticGain(), 0.02, 60)).toBeLessThanOrEqual(15);
});

test('automatic gain rises neither on silence, nor on noise, nor on what the loudspeaker says', () => {
  const automatic = new AutomaticGain();
  const seed = { state: 1 };
  for (let frame = 0; frame < 500; frame++) automatic.process(noise(300, seed), -41, false);
  for (let frame = 0; frame < 500; frame++) automatic.process(new Int16Array(FRAME), -41, false);
  for (let frame = 0; frame < 500; frame++) automatic.process(noise(6000, seed), -41, true);
  expect(automatic.db).toBe(0);
});

test('the noise of the place is measured beneath speech, and not while the loudspeaker is heard', () => {
  const ambient = new Ambient({ upToDb: 0, quietDb: -50 });
  const seed = { state: 1 };
  const silence = new Int16Array(FRAME);
  const voice = speechOf('visitor');
  expect(ambient.noiseDb).toBeUndefined();
  for (let frame = 0; frame < 700; frame++) {
    const heard = noise(100, seed);
    for (let index = 0; index < FRAME; index++) heard[index]! += 0.5 * voice[(frame * FRAME + index) % voice.length]!;
    ambient.hear(heard, silence);
  }
  // 100 of 32768 is −50.3 dB.
  expect(ambient.noiseDb).toBeGreaterThan(-53);
  expect(ambient.noiseDb).toBeLessThan(-47);
  const before = ambient.noiseDb;
  for (let frame = 0; frame < 1000; frame++) ambient.hear(noise(5000, seed), noise(5000, seed));
  expect(ambient.noiseDb).toBe(before);
});

test('the loudspeaker rises with the noise, 2 dB a second, to its limit, and comes down again', () => {
  const ambient = new Ambient({ upToDb: 8, quietDb: -50 });
  const seed = { state: 1 };
  const silence = new Int16Array(FRAME);
  const hear = (level: number, frames: number) => {
    for (let frame = 0; frame < frames; frame++) ambient.hear(noise(level, seed), silence);
    return ambient.raisedDb;
  };
  expect(hear(50, 300)).toBe(0);
  // 6 s until the quiet is forgotten.
  expect(hear(2000, 550)).toBeLessThan(3);
  expect(hear(2000, 1000)).toBe(8);
  expect(hear(50, 700)).toBe(0);
});

const counted = (from: number) => Int16Array.from({ length: FRAME }, (_, at) => (from + at) % 30_000);

test('the delay line gives what left the loudspeaker, some milliseconds early', () => {
  const line = new DelayLine(RATE);
  const into = new Int16Array(FRAME);
  for (let frame = 0; frame < 100; frame++) line.write(counted(frame * FRAME));
  line.read(into, 24);
  expect(into[0]).toBe(99 * FRAME - 20 * 16);
});

test('a delay that trembles is not followed; one that has changed is, after half a second', () => {
  const line = new DelayLine(RATE);
  const into = new Int16Array(FRAME);
  line.read(into, 24);
  for (let frame = 0; frame < 200; frame++) line.read(into, 24 + (frame % 2 ? 5 : -5) + (frame % 40 === 0 ? 30 : 0));
  expect(line.delayMs).toBe(20);
  for (let frame = 0; frame < 50; frame++) line.read(into, 44);
  expect(line.delayMs).toBe(40);
});

test('a delay beyond any card, or none, is bounded', () => {
  for (const wild of [1e9, -1e9]) {
    const line = new DelayLine(RATE);
    const into = new Int16Array(FRAME);
    for (let frame = 0; frame < 300; frame++) {
      line.write(counted(frame * FRAME));
      line.read(into, wild);
    }
    expect(line.delayMs).toBe(wild > 0 ? MAX_DELAY_MS : 0);
  }
});
