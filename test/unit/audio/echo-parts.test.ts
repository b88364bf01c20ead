import { expect, test } from 'vitest';
import { BandFilter } from '../../../firmware/audio/echo/band-filter.ts';
import { BandPowers, bandEdges } from '../../../firmware/audio/echo/bands.ts';
import { Likeness } from '../../../firmware/audio/echo/likeness.ts';

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
