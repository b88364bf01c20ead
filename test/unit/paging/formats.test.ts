import { describe, expect, test } from 'vitest';
import { parseLinksys, printLinksys } from '../../../firmware/paging/linksys.ts';
import { emptyPolycom, parsePolycom, printPolycom } from '../../../firmware/paging/polycom.ts';
import { PolycomFrames } from '../../../firmware/paging/polycom-frames.ts';
import { seeded } from '../../sim/seeded.ts';

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** From a telephone 00:04:f2:0a:0b:0c that calls itself "Reception" to page group 1. */
const ALERT = '0f 1a f20a0b0c 0d 526563657074696f6e 00000000';
const AUDIO = '10 1a f20a0b0c 0d 526563657074696f6e 00000000 09 00 000000a0 aabbcc';
const END = 'ff 1a f20a0b0c 0d 526563657074696f6e 00000000';
const sender = { channel: 26, serial: 0xf20a0b0c };

describe('a Polycom packet', () => {
  test('is read as the layout says, and written to the byte', () => {
    for (const [hex, kind] of [
      [ALERT, 'alert'],
      [END, 'end'],
    ] as const) {
      const packet = parsePolycom(bytesOf(hex))!;
      expect(packet).toMatchObject({ ...sender, kind, caller: 'Reception' });
      expect(hexOf(printPolycom(packet))).toBe(hexOf(bytesOf(hex)));
    }
    const audio = parsePolycom(bytesOf(AUDIO))!;
    expect(audio).toMatchObject({ ...sender, kind: 'audio', codec: 9, samples: 160 });
    expect(hexOf(audio.payload)).toBe('aabbcc');
    expect(hexOf(printPolycom({ ...audio, caller: 'Reception' }))).toBe(hexOf(bytesOf(AUDIO)));
  });

  test('may have a name of any length', () => {
    expect(parsePolycom(bytesOf('0f 1a 00000001 00'))).toMatchObject({ caller: '' });
    expect(parsePolycom(bytesOf('0f 1a 00000001 03 4a6f65'))).toMatchObject({ caller: 'Joe' });
    expect(parsePolycom(bytesOf('0f 1a 00000001 03 4a0d65'))).toMatchObject({ caller: 'J?e' });
  });

  test.each([
    ['of another opcode', '11 1a 00000001 00'],
    ['of channel 0', '0f 00 00000001 00'],
    ['of channel 51', '0f 33 00000001 00'],
    ['whose name is longer than itself', '0f 1a 00000001 0d 4a6f65'],
    ['of a codec that nobody has', '10 1a 00000001 00 12 00 00000000 aa'],
    ['without its sound', '10 1a 00000001 00 00 00 00000000'],
    ['cut short', '10 1a 0000'],
    ['without a byte', ''],
  ])('%s is none', (_, hex) => {
    expect(parsePolycom(bytesOf(hex))).toBeUndefined();
  });
});

describe('frames of Polycom packets', () => {
  const frame = (value: number, bytes = 160) => new Uint8Array(bytes).fill(value);
  const both = (before: number, now: number) => new Uint8Array([...frame(before), ...frame(now)]);

  function taken() {
    const given: [number, number, number][] = [];
    const frames = new PolycomFrames((sequence, frame) => given.push([sequence, frame[0]!, frame.length]));
    return { frames, given, values: () => given.map(([, value]) => value) };
  }

  test('are numbered from the second packet on, which brings the first frame too', () => {
    const { frames, given } = taken();
    expect([frames.take(0, frame(1)), frames.take(160, both(1, 2)), frames.take(320, both(2, 3))]).toEqual([
      true,
      true,
      true,
    ]);
    expect(given).toEqual([
      [0, 1, 160],
      [1, 2, 160],
      [2, 3, 160],
    ]);
  });

  test('are complete where one packet is lost', () => {
    const { frames, values } = taken();
    frames.take(0, frame(1));
    frames.take(160, both(1, 2));
    frames.take(480, both(3, 4));
    expect(values()).toEqual([1, 2, 3, 4]);
  });

  test('keep a place free for each that is lost', () => {
    const { frames, given } = taken();
    frames.take(0, frame(1));
    frames.take(160, both(1, 2));
    frames.take(640, both(4, 5));
    expect(given.map(([sequence]) => sequence)).toEqual([0, 1, 3, 4]);
  });

  test('are heard by who joins late, and of a sender who sends none twice', () => {
    const late = taken();
    late.frames.take(16_000, both(7, 8));
    late.frames.take(16_160, both(8, 9));
    expect(late.values()).toEqual([8, 9]);
    const single = taken();
    for (const value of [1, 2, 3]) single.frames.take(160 * value, frame(value));
    expect(single.given.map(([, value, bytes]) => [value, bytes])).toEqual([
      [2, 160],
      [3, 160],
    ]);
  });

  test('go on over the wrap of the sample count', () => {
    const { frames, given } = taken();
    for (let value = 1; value < 6; value++)
      frames.take((2 ** 32 - 480 + 160 * value) % 2 ** 32, both(value - 1, value));
    expect(given.map(([sequence]) => sequence)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('a Linksys command', () => {
  const START = '12345678 00000006 e0a8a8a8 00008707';

  test('is read as the layout says, and written to the byte', () => {
    const command = parseLinksys(bytesOf(START))!;
    expect(command).toEqual({ command: 'start', id: 0x12345678, host: '224.168.168.168', port: 34_567 });
    expect(hexOf(printLinksys(command))).toBe(hexOf(bytesOf(START)));
    expect(parseLinksys(bytesOf('12345678 00000007 e0a8a8a8 00008707'))!.command).toBe('stop');
  });

  test.each([
    ['that is neither start nor stop', '12345678 00000008 e0a8a8a8 00008707'],
    ['to an address that is no multicast', '12345678 00000006 c0000201 00008707'],
    ['to the port of a service', '12345678 00000006 e0a8a8a8 00000035'],
    ['to no port', '12345678 00000006 e0a8a8a8 00018707'],
    ['of another length', `${START}00`],
  ])('%s is none', (_, hex) => {
    expect(parseLinksys(bytesOf(hex))).toBeUndefined();
  });
});

test('10,000 packets of chance: nothing throws, and frames are never longer than they can be', () => {
  const random = seeded(7);
  const into = emptyPolycom();
  const frames = new PolycomFrames((_, frame) => expect(frame.length).toBeLessThanOrEqual(480));
  let read = 0;
  for (let round = 0; round < 10_000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random.next() * 400) }, () => Math.floor(random.next() * 256));
    if (round % 2 === 0) bytes.set(bytesOf('10 1a 00000001 00 00').subarray(0, bytes.length));
    parseLinksys(bytes);
    if (parsePolycom(bytes, into) === undefined) continue;
    read++;
    frames.take(into.samples, into.payload);
  }
  expect(read).toBeGreaterThan(100);
});
