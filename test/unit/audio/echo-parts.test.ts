import { expect, test } from 'vitest';
import { BandFilter } from '../../../firmware/audio/echo/band-filter.ts';
import { BandPowers, bandEdges } from '../../../firmware/audio/echo/bands.ts';
import { Likeness } from '../../../firmware/audio/echo/likeness.ts';
import { Suppressor } from '../../../firmware/audio/echo/suppressor.ts';
import { WrongRoom } from '../../../firmware/audio/echo/wrong-room.ts';
import { generator } from '../../sim/room.ts';

const RATE = 16_000;
const HOP = RATE / 100;
const tone = (hertz: number, frame: number) =>
  Float64Array.from({ length: HOP }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * (frame * HOP + at)) / RATE));
const level = (samples: Int16Array) =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

test('a tone is in its band and its neighbours, and silence in none', () => {
  const bands = new BandPowers(RATE);
  const edges = bandEdges(RATE);
  for (let frame = 0; frame < 4; frame++) bands.hear(tone(1100, frame));
  const loudest = bands.powers.indexOf(Math.max(...bands.powers));
  expect(edges[loudest]).toBe(1000);
  expect(bands.powers[0]).toBeLessThan(bands.powers[loudest]! * 1e-4);
  for (let frame = 0; frame < 4; frame++) bands.hear(new Float64Array(HOP));
  expect(Math.max(...bands.powers)).toBeLessThan(1e-9);
});

test('a band filter that is open is a delay and nothing else', () => {
  const filter = new BandFilter(RATE);
  const out = new Int16Array(HOP);
  let before = tone(440, 0);
  filter.process(before, out);
  for (let frame = 1; frame < 5; frame++) {
    const now = tone(440, frame);
    filter.process(now, out);
    for (let at = 0; at < HOP; at++) {
      const given = at < filter.delaySamples ? before[HOP + at - filter.delaySamples]! : now[at - filter.delaySamples]!;
      expect(out[at]! - Math.round(given * 32_768)).toBeCloseTo(0);
    }
    before = now;
  }
});

test('a band that is closed takes its tone with it, and others stay', () => {
  const edges = bandEdges(RATE);
  const levelOf = (hertz: number) => {
    const filter = new BandFilter(RATE);
    edges.slice(1).forEach((edge, band) => {
      filter.gains[band] = edge <= 2000 ? 1 : 0.03;
    });
    const out = new Int16Array(HOP);
    for (let frame = 0; frame < 10; frame++) filter.process(tone(hertz, frame), out);
    return level(out);
  };
  expect(levelOf(500)).toBeGreaterThan(0.97 * levelOf(300));
  expect(levelOf(4000)).toBeLessThan(0.05 * levelOf(500));
});

test('one gain for all bands is that gain: no band rings', () => {
  const filter = new BandFilter(RATE);
  filter.gains.fill(0.1);
  const out = new Int16Array(HOP);
  for (let frame = 0; frame < 10; frame++) filter.process(tone(1000, frame), out);
  expect(level(out)).toBeCloseTo(0.1 * 0.5 * 32_768 * Math.SQRT1_2, -1);
});

test('what rises and falls together is alike, however loud; what does not is not', () => {
  const powers = (frame: number, pace: number, loud: number) =>
    Float64Array.from({ length: 20 }, (_, band) => loud * 10 ** (2 * Math.sin(frame * pace + band * band)));
  const likenessOf = (pace: number) => {
    const likeness = new Likeness(20);
    for (let frame = 0; frame < 300; frame++) likeness.hear(powers(frame, pace, 0.001), powers(frame, 0.4, 0.1), 20);
    return likeness.value;
  };
  expect(likenessOf(0.4)).toBeGreaterThan(0.9);
  expect(Math.abs(likenessOf(0.9))).toBeLessThan(0.4);
});

test('an old past is forgotten in a long silence: the next sounds alone say whether two are alike', () => {
  const likeness = new Likeness(20);
  const powers = (frame: number, pace: number) =>
    Float64Array.from({ length: 20 }, (_, band) => 0.1 * 10 ** (2 * Math.sin(frame * pace + band * band)));
  for (let frame = 0; frame < 300; frame++) likeness.hear(powers(frame, 0.9), powers(frame, 0.4), 20);
  const silence = new Float64Array(20);
  for (let frame = 0; frame < 100; frame++) likeness.hear(silence, silence, 0);
  // A soft beginning: two bands of it are heard.
  for (let frame = 0; frame < 5; frame++) likeness.hear(powers(frame, 0.4), powers(frame, 0.4), 2);
  expect(likeness.value).toBeGreaterThan(0.7);
});

test('an echo that was taken out and never was there is a wrong room; a visitor, however loud, is not', () => {
  const sureOf = (mix: (echo: number, other: number) => number, refused = false) => {
    const [left, echo] = [new BandPowers(RATE), new BandPowers(RATE)];
    const room = new WrongRoom(left, echo);
    const [one, other] = [generator(1), generator(99)];
    const loud = new Uint8Array(echo.powers.length).fill(1);
    let most = 0;
    for (let frame = 0; frame < 100; frame++) {
      const found = Float64Array.from({ length: HOP }, () => 0.1 * one());
      echo.hear(found);
      left.hear(found.map(value => mix(value, 0.1 * other())));
      room.hear(loud, refused);
      if (frame >= 5) most = Math.max(most, room.value);
    }
    return { last: room.value, most };
  };
  expect(sureOf(echo => -echo).last).toBe(1);
  // Another room's echo, and the old one upside down.
  expect(sureOf((echo, other) => other - echo).last).toBe(1);
  expect(sureOf((_, other) => 10 * other).most).toBeLessThan(0.5);
  expect(sureOf((echo, other) => 3 * other + 0.1 * echo).most).toBeLessThan(0.5);
  // The filter did not take it out.
  expect(sureOf(echo => echo, true).last).toBe(1);
});

test('the noise of a room that was heard for a tenth of a second stays in it while the far end speaks', () => {
  const suppressor = new Suppressor(RATE);
  const [quiet, voice] = [generator(7), generator(8)];
  const out = new Int16Array(HOP);
  const heard: number[] = [];
  for (let frame = 0; frame < 25; frame++) {
    const left = Float64Array.from({ length: HOP }, () => 0.01 * quiet());
    const echo = Float64Array.from({ length: HOP }, () => (frame < 10 ? 0 : 0.3 * voice()));
    suppressor.process({ left, echo, refused: false }, out);
    if (frame >= 13) heard.push(...out);
  }
  const ratio = level(Int16Array.from(heard)) / ((0.01 * 32_768) / Math.sqrt(3));
  expect(ratio).toBeGreaterThan(0.3);
  expect(ratio).toBeLessThan(0.7);
});
