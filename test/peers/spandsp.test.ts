/** libspandsp's G.722, which telephones were proved against, encodes and decodes the same sound to the same bits. */
import koffi from 'koffi';
import { expect, test } from 'vitest';
import { g722Decoder, g722Encoder } from '../../firmware/audio/codecs/g722.ts';
import { seeded } from '../sim/seeded.ts';
import { sine } from '../sim/tone.ts';

const RATE = 16_000;
const FULL_RATE = 64_000;

function library() {
  try {
    return koffi.load('libspandsp.so.2');
  } catch {
    throw new Error('libspandsp is not installed, so this cannot be tested: apt-get install libspandsp2');
  }
}

const spandsp = library();
const theirEncoder = () => {
  const state = spandsp.func('void *g722_encode_init(void *, int, int)')(null, FULL_RATE, 0);
  const encode = spandsp.func('int g722_encode(void *, uint8_t *, const int16_t *, int)');
  return (samples: Int16Array, into: Uint8Array): number => encode(state, into, samples, samples.length);
};
const theirDecoder = () => {
  const state = spandsp.func('void *g722_decode_init(void *, int, int)')(null, FULL_RATE, 0);
  const decode = spandsp.func('int g722_decode(void *, int16_t *, const uint8_t *, int)');
  return (payload: Uint8Array, into: Int16Array): number => decode(state, into, payload, payload.length);
};

/** What is too loud for 16 bits is cut here; there it wraps around, and cracks. */
function expectAlike(heard: Int16Array, expected: Int16Array) {
  const isCut = (sample: number) => sample === 32_767 || sample === -32_768;
  expect(heard.subarray(0, 320).filter(sample => !isCut(sample))).toEqual(
    expected.filter((_, index) => !isCut(heard[index]!)),
  );
}

const seconds = 5;
const random = seeded(9);
const SOUNDS: Readonly<Record<string, Int16Array>> = {
  'a tone in the lower band': sine(440, 20_000, RATE, seconds),
  'a tone in the higher band': sine(6_100, 20_000, RATE, seconds),
  'a tone far too loud': sine(1_000, 60_000, RATE, seconds).map(sample => Math.max(-32_768, Math.min(32_767, sample))),
  silence: new Int16Array(seconds * RATE),
  noise: Int16Array.from({ length: seconds * RATE }, () => random.next() * 65_535 - 32_768),
  'faint noise': Int16Array.from({ length: seconds * RATE }, () => random.next() * 20 - 10),
  'bursts between the limits': Int16Array.from({ length: seconds * RATE }, (_, at) =>
    at % 1_600 < 400 ? (random.next() < 0.5 ? 32_767 : -32_768) : 0,
  ),
};

test.each(Object.entries(SOUNDS))('%s', (_name, sound) => {
  const ours = new Uint8Array(sound.length / 2);
  const theirs = new Uint8Array(sound.length / 2);
  const encoder = g722Encoder();
  const encode = theirEncoder();
  for (let at = 0; at < sound.length; at += 320) {
    encoder.encode(sound.subarray(at, at + 320), ours.subarray(at / 2));
    encode(sound.slice(at, at + 320), theirs.subarray(at / 2, at / 2 + 160));
  }
  expect(Buffer.compare(ours, theirs)).toBe(0);
  const decoder = g722Decoder();
  const decode = theirDecoder();
  for (let at = 0; at < ours.length; at += 160) {
    const heard = new Int16Array(1_920);
    const expected = new Int16Array(320);
    expect(decoder.decode(ours.subarray(at, at + 160), heard)).toBe(320);
    decode(ours.slice(at, at + 160), expected);
    expectAlike(heard, expected);
  }
});

test('any bytes at all are decoded alike: a peer may send what it likes', () => {
  const decoder = g722Decoder();
  const decode = theirDecoder();
  for (let count = 0; count < 500; count++) {
    const payload = Uint8Array.from({ length: 160 }, () => random.uint32() & 0xff);
    const heard = new Int16Array(1_920);
    const expected = new Int16Array(320);
    decoder.decode(payload, heard);
    decode(payload, expected);
    expectAlike(heard, expected);
  }
});
