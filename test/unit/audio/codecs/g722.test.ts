import { expect, test } from 'vitest';
import { BAD_PAYLOAD } from '../../../../firmware/audio/codecs/codec.ts';
import { g722Decoder, g722Encoder } from '../../../../firmware/audio/codecs/g722.ts';
import { seeded } from '../../../sim/seeded.ts';
import { sine, toneSnr } from '../../../sim/tone.ts';

const RATE = 16_000;
const FRAME = 320;

function throughLine(sound: Int16Array): Int16Array {
  const encoder = g722Encoder();
  const decoder = g722Decoder();
  const heard = new Int16Array(sound.length);
  const packet = new Uint8Array(FRAME / 2);
  const frame = new Int16Array(1_920);
  for (let at = 0; at < sound.length; at += FRAME) {
    expect(encoder.encode(sound.subarray(at, at + FRAME), packet)).toBe(FRAME / 2);
    expect(decoder.decode(packet, frame)).toBe(FRAME);
    heard.set(frame.subarray(0, FRAME), at);
  }
  return heard;
}

test.each([
  [200, 30],
  [1_000, 30],
  [3_000, 25],
  // Two bits a sample: less exact, and what makes a voice sound near.
  [5_000, 14],
  [6_800, 12],
])('a tone of %i Hz comes through at %i dB above the noise', (hz, leastDb) => {
  const heard = throughLine(sine(hz, 8_000, RATE, 2));
  expect(toneSnr(heard.subarray(RATE), hz, RATE)).toBeGreaterThan(leastDb);
});

test('silence stays silent', () => {
  expect(Math.max(...throughLine(new Int16Array(RATE)).map(Math.abs))).toBeLessThan(16);
});

test('a payload of no codec is refused, and the longest is taken', () => {
  const decoder = g722Decoder();
  const into = new Int16Array(1_920);
  expect(decoder.decode(new Uint8Array(0), into)).toBe(BAD_PAYLOAD);
  expect(decoder.decode(new Uint8Array(961), into)).toBe(BAD_PAYLOAD);
  expect(decoder.decode(new Uint8Array(960), into)).toBe(1_920);
});

test('after any bytes at all a tone is heard again within a second: nothing sticks', () => {
  const random = seeded(4);
  const decoder = g722Decoder();
  const into = new Int16Array(1_920);
  for (let count = 0; count < 200; count++) {
    decoder.decode(
      Uint8Array.from({ length: 160 }, () => random.uint32() & 0xff),
      into,
    );
  }
  const encoder = g722Encoder();
  const sound = sine(1_000, 8_000, RATE, 2);
  const heard = new Int16Array(sound.length);
  const packet = new Uint8Array(FRAME / 2);
  for (let at = 0; at < sound.length; at += FRAME) {
    encoder.encode(sound.subarray(at, at + FRAME), packet);
    decoder.decode(packet, into);
    heard.set(into.subarray(0, FRAME), at);
  }
  expect(toneSnr(heard.subarray(RATE), 1_000, RATE)).toBeGreaterThan(30);
});
