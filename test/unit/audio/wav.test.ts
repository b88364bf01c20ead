import { describe, expect, test } from 'vitest';
import { isBadWav, MAX_WAV_BYTES, parseWav, type Wav, wavHeader } from '../../../firmware/audio/wav.ts';
import { WavPlayer } from '../../../firmware/audio/wav-player.ts';
import { seeded } from '../../sim/seeded.ts';
import { decibels, sharpestBend, sine, toneLevel } from '../../sim/tone.ts';

interface Made {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  data: Uint8Array;
  /** Chunks before `fmt `. */
  before?: Uint8Array;
  fmtBytes?: Uint8Array;
  dataSize?: number;
}

const ascii = (text: string) => new TextEncoder().encode(text);
const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer);
const u16 = (value: number) => new Uint8Array(new Uint16Array([value]).buffer);
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const chunk = (id: string, body: Uint8Array, size = body.length) =>
  joined(ascii(id), u32(size), body, new Uint8Array(body.length % 2));

function wav({ tag = 1, channels = 1, rate = 16_000, bits = 16, data, before, fmtBytes, dataSize }: Made): Uint8Array {
  const step = (channels * bits) / 8;
  const fmt = fmtBytes ?? joined(u16(tag), u16(channels), u32(rate), u32(rate * step), u16(step), u16(bits));
  const body = joined(ascii('WAVE'), before ?? new Uint8Array(0), chunk('fmt ', fmt), chunk('data', data, dataSize));
  return joined(ascii('RIFF'), u32(body.length), body);
}

function good(bytes: Uint8Array): Wav {
  const result = parseWav(bytes);
  if (isBadWav(result)) throw new Error(result.malformed);
  return result;
}

function samplesOf(bytes: Uint8Array): number[] {
  const parsed = good(bytes);
  const samples = new Int16Array(parsed.length);
  parsed.read(0, parsed.length, samples);
  return [...samples];
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('reads', () => {
  test.each<[string, Made, number[]]>([
    ['8-bit PCM, which is unsigned', { bits: 8, data: new Uint8Array([128, 255, 0]) }, [0, 32_512, -32_768]],
    ['16-bit PCM', { data: bytesOf(new Int16Array([0, 32_767, -32_768])) }, [0, 32_767, -32_768]],
    ['24-bit PCM', { bits: 24, data: new Uint8Array([0, 0, 0, 255, 255, 127, 0, 0, 128]) }, [0, 32_767, -32_768]],
    ['32-bit PCM', { bits: 32, data: bytesOf(new Int32Array([0, 2 ** 31 - 1, -(2 ** 31)])) }, [0, 32_767, -32_768]],
    [
      '32-bit float, clipped, with not-a-number as silence',
      { tag: 3, bits: 32, data: bytesOf(new Float32Array([0.5, 2, -2, Number.NaN])) },
      [16_384, 32_767, -32_768, 0],
    ],
    ['64-bit float', { tag: 3, bits: 64, data: bytesOf(new Float64Array([-0.25])) }, [-8192]],
    ['A-law', { tag: 6, bits: 8, data: new Uint8Array([0xd5, 0xaa, 0x2a]) }, [8, 32_256, -32_256]],
    ['µ-law', { tag: 7, bits: 8, data: new Uint8Array([0xff, 0x80, 0x00]) }, [0, 32_124, -32_124]],
    ['stereo as the mean of both', { channels: 2, data: bytesOf(new Int16Array([100, 300, -1, -2])) }, [200, -1]],
  ])('%s', (_, made, expected) => {
    expect(samplesOf(wav(made))).toEqual(expected);
  });

  test('the extensible form by the head of its GUID', () => {
    const guid = joined(u16(1), new Uint8Array(14));
    const fmt = joined(u16(0xfffe), u16(1), u32(8000), u32(16_000), u16(2), u16(16), u16(22), u16(16), u32(4), guid);
    expect(good(wav({ fmtBytes: fmt, data: bytesOf(new Int16Array([7])) }))).toMatchObject({ rate: 8000, length: 1 });
  });

  test('past chunks of no concern, odd ones with their padding', () => {
    const before = chunk('LIST', ascii('odd'));
    expect(samplesOf(wav({ before, data: bytesOf(new Int16Array([42])) }))).toEqual([42]);
  });

  test.each([0xffff_ffff, 1_000_000])('a file streamed or cut short (size says %i) as far as it goes', dataSize => {
    expect(samplesOf(wav({ dataSize, data: bytesOf(new Int16Array([1, 2, 3])) }))).toEqual([1, 2, 3]);
  });

  test('an odd byte at the end is no sample', () => {
    expect(samplesOf(wav({ data: new Uint8Array([1, 0, 2]) }))).toEqual([1]);
  });

  test('what it writes itself', () => {
    const data = bytesOf(new Int16Array([5, -5]));
    expect(samplesOf(joined(wavHeader(16_000, data.length), data))).toEqual([5, -5]);
  });

  test('from a view into a larger buffer', () => {
    const file = wav({ data: bytesOf(new Int16Array([9])) });
    expect(samplesOf(joined(new Uint8Array(3), file).subarray(3))).toEqual([9]);
  });
});

describe('refuses, and says why', () => {
  const data = new Uint8Array(4);
  const whole = wav({ data });
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /not a WAV file/],
    ['an MP3', joined(ascii('ID3'), new Uint8Array(100)), /not a WAV file/],
    ['a RIFF of another kind', joined(ascii('RIFF'), u32(4), ascii('AVI ')), /not a WAV file/],
    ['a header alone', whole.subarray(0, 12), /no fmt chunk/],
    ['a fmt chunk cut short', whole.subarray(0, 30), /cut short/],
    ['a fmt chunk too small', wav({ fmtBytes: new Uint8Array(8), data }), /cut short/],
    ['a file that ends before its sound', whole.subarray(0, 36), /no data chunk/],
    ['sound before its format', joined(ascii('RIFF'), u32(12), ascii('WAVE'), chunk('data', data)), /before its fmt/],
    ['an empty data chunk', wav({ data: new Uint8Array(0) }), /no sound/],
    ['an encoding that is unknown', wav({ tag: 0x11, bits: 4, data }), /format 17, 4 bits/],
    ['PCM of 12 bits', wav({ bits: 12, data }), /12 bits/],
    ['no channels', wav({ channels: 0, data }), /0 channels/],
    ['nine channels', wav({ channels: 9, data }), /9 channels/],
    ['a rate of zero', wav({ rate: 0, data }), /0 samples per second/],
    ['a rate that nobody uses', wav({ rate: 44_101, data }), /44101 samples per second/],
    ['too many bytes', new Uint8Array(MAX_WAV_BYTES + 1), /limit is 16777216/],
  ])('%s', (_, bytes, why) => {
    const result = parseWav(bytes);
    expect(isBadWav(result) && result.malformed).toMatch(why);
  });

  test('or plays whatever a damaged file holds, never throwing', () => {
    const random = seeded(11);
    const file = wav({ data: new Uint8Array(400).map(() => random.uint32()) });
    for (let round = 0; round < 5000; round++) {
      const damaged = file.slice(0, 20 + random.next() * file.length);
      for (let hit = 0; hit < 3; hit++) damaged[Math.floor(random.next() * 60)] = random.uint32();
      const result = parseWav(damaged);
      if (!isBadWav(result)) result.read(0, result.length, new Int16Array(result.length));
    }
  });
});

describe('plays at the rate of the device', () => {
  test.each([8000, 11_025, 22_050, 44_100, 48_000, 96_000])('a tone recorded at %i Hz', rate => {
    const tone = sine(1000, 10_000, rate, 1);
    const player = new WavPlayer(good(wav({ rate, data: bytesOf(tone) })), 16_000);
    const sound = new Int16Array(16_000 * 2);
    let frames = 0;
    while (player.read(sound.subarray(frames * 160, (frames + 1) * 160))) frames++;
    expect(frames).toBeGreaterThanOrEqual(100);
    expect(frames).toBeLessThanOrEqual(102);
    const middle = sound.subarray(1600, 14_400);
    expect(Math.abs(decibels(toneLevel(middle, 1000, 16_000) / 10_000))).toBeLessThan(0.3);
  });

  test('at the same rate every sample as it is, but for its end', () => {
    const tone = sine(1000, 10_000, 16_000, 0.02);
    const player = new WavPlayer(good(wav({ data: bytesOf(tone) })), 16_000);
    const frame = new Int16Array(160);
    player.read(frame);
    expect(frame).toEqual(tone.subarray(0, 160));
    player.read(frame);
    expect(frame.subarray(0, 80)).toEqual(tone.subarray(160, 240));
    expect(frame.subarray(80)).not.toEqual(tone.subarray(240));
  });

  test.each([8000, 16_000, 44_100])(
    'a file of %i Hz that was cut short in the midst of a wave, without a click',
    rate => {
      const tone = sine(440, 10_000, rate, 1);
      const whole = wav({ rate, data: bytesOf(tone) });
      const undisturbed = sharpestBend(played(whole).subarray(1000, 12_000));
      for (let cut = 0; cut < 40; cut += 3) {
        const heard = played(whole.subarray(0, whole.length - 2 * cut - (cut % 2)));
        expect(sharpestBend(heard.subarray(1000))).toBeLessThan(2 * undisturbed);
      }
    },
  );

  function played(bytes: Uint8Array): Int16Array {
    const player = new WavPlayer(good(bytes), 16_000);
    const sound = new Int16Array(16_000 * 2);
    for (let at = 0; player.read(sound.subarray(at, at + 160)); at += 160);
    return sound;
  }

  test('after the end comes silence, and it says so', () => {
    const player = new WavPlayer(good(wav({ data: bytesOf(sine(1000, 10_000, 16_000, 0.01)) })), 16_000);
    const frame = new Int16Array(160);
    while (player.read(frame));
    expect(frame.every(sample => sample === 0)).toBe(true);
    expect(player.read(frame)).toBe(false);
  });
});
