import { describe, expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { OPUS, PCMA, PCMU, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, decibels, longestGapMs, toneLevel, toneSnr } from '../../sim/tone.ts';

const opus16 = loadLibopus(16_000);

describe('a call', () => {
  test.each([
    ['PCMA', PCMA],
    ['PCMU', PCMU],
    ['Opus', OPUS],
  ])('%s: each hears the other’s tone, within 1 dB', (_, codec) => {
    const world = new World();
    const door = world.phone('192.0.2.1', { speaks: speaksTone(440, 8000, 16_000), opus: opus16 });
    const desk = world.phone('192.0.2.2', { speaks: speaksTone(1000, 8000, 16_000), opus: opus16 });
    world.connect(door, desk, codec);
    world.run(3000);
    for (const [phone, hz, own] of [
      [door, 1000, 440],
      [desk, 440, 1000],
    ] as const) {
      const sound = phone.heard(1000);
      expect(Math.abs(decibels(toneLevel(sound, hz, 16_000) / 8000))).toBeLessThan(1);
      expect(decibels(toneLevel(sound, own, 16_000) / 8000)).toBeLessThan(-45);
      console.log(codec.name, 'snr', toneSnr(sound, hz, 16_000), blockSnr(sound, hz, 16_000), longestGapMs(sound, 16_000, 50));
    }
    console.log(JSON.stringify(door.events));
    console.log(door.media.engine.describe());
  });
});
