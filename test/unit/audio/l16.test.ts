/** L16: samples there and back, stereo to one, and payloads that are none. */
import { expect, test } from 'vitest';
import { BAD_PAYLOAD } from '../../../firmware/audio/codecs/codec.ts';
import { l16Decoder, l16Encoder } from '../../../firmware/audio/codecs/l16.ts';

const SAMPLES = Int16Array.from([0, 1, -1, 32_767, -32_768, 258, -257]);

test('samples are as they were, the upper byte first', () => {
  const bytes = new Uint8Array(2 * SAMPLES.length);
  expect(l16Encoder('L16/48000').encode(SAMPLES, bytes)).toBe(bytes.length);
  expect([...bytes.subarray(10, 12)]).toEqual([1, 2]);
  const decoded = new Int16Array(SAMPLES.length);
  expect(l16Decoder('L16/48000').decode(bytes, decoded)).toBe(SAMPLES.length);
  expect(decoded).toEqual(SAMPLES);
});

test('of stereo the middle is heard', () => {
  const decoded = new Int16Array(2);
  const bytes = Uint8Array.from([0x10, 0, 0x20, 0, 0xf0, 0, 0x10, 0]);
  expect(l16Decoder('L16/44100/2').decode(bytes, decoded)).toBe(2);
  expect([...decoded]).toEqual([0x1800, 0]);
});

test('half a sample, nothing, and too much are no payload', () => {
  const decoder = l16Decoder('L16/8000');
  for (const size of [0, 1, 3, 22])
    expect(decoder.decode(new Uint8Array(size), new Int16Array(10)), `${size} bytes`).toBe(BAD_PAYLOAD);
});
