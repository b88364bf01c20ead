import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseWav, readWav, WavWriter, wavHeader } from '../../../hal/audio/wav.ts';
import { codeOf } from './gpio-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'porter-wav-'));
afterAll(() => rmSync(folder, { recursive: true }));

const samples = (...values: number[]) => Buffer.from(new Int16Array(values).buffer);
const file = (header: Buffer, data: Buffer) => Buffer.concat([header, data]);
const edited = (at: number, value: number) => {
  const header = wavHeader(8000, 4);
  header.writeUInt16LE(value, at);
  return file(header, samples(1, 2));
};

describe('a WAV file', () => {
  test('comes back as it was written', () => {
    const path = join(folder, 'a.wav');
    const writer = new WavWriter(path, 16000);
    writer.write(new Int16Array([1, -2, 32767]));
    writer.write(new Int16Array([-32768, 0]));
    writer.close();
    expect(readWav(path)).toEqual({ rate: 16000, samples: new Int16Array([1, -2, 32767, -32768, 0]) });
  });

  test('is whole after each frame, before it is closed', () => {
    const path = join(folder, 'killed.wav');
    const writer = new WavWriter(path, 8000);
    for (let frames = 0; frames < 5; frames++) {
      const bytes = readFileSync(path);
      expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
      expect(readWav(path).samples).toHaveLength(frames * 80);
      writer.write(new Int16Array(80).fill(frames));
    }
    writer.close();
  });

  test('of two channels is heard as their mean', () => {
    const header = wavHeader(8000, 8);
    header.writeUInt16LE(2, 22);
    expect(parseWav(file(header, samples(100, 200, -5, 5)), 'x').samples).toEqual(new Int16Array([150, 0]));
  });

  test('may carry other chunks, of odd sizes too', () => {
    const header = wavHeader(8000, 4);
    const extra = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const bytes = Buffer.concat([
      header.subarray(0, 36),
      extra,
      header.subarray(36),
      samples(7, 8),
      Buffer.from('junk'),
    ]);
    expect(parseWav(bytes, 'x').samples).toEqual(new Int16Array([7, 8]));
  });

  test('cut short gives what is there', () => {
    expect(parseWav(file(wavHeader(8000, 4000), samples(7, 8, 9)).subarray(0, 49), 'x').samples).toEqual(
      new Int16Array([7, 8]),
    );
    expect(parseWav(wavHeader(8000, 0xffffff00), 'x').samples).toHaveLength(0);
  });

  test.each([
    ['nothing', Buffer.alloc(0), 'no WAV'],
    ['text', Buffer.from('hello, this is not a sound at all'), 'no WAV'],
    ['another RIFF', Buffer.from('RIFF\x20\0\0\0AVI fmt ', 'latin1'), 'no WAV'],
    ['only the first header', wavHeader(8000, 4).subarray(0, 12), 'no sound'],
    ['no data', wavHeader(8000, 4).subarray(0, 36), 'no sound'],
    [
      'data before their format',
      Buffer.concat([wavHeader(8000, 4).subarray(0, 12), Buffer.from('data\x02\0\0\0ab')]),
      'before',
    ],
    [
      'a short format',
      Buffer.concat([wavHeader(8000, 4).subarray(0, 12), Buffer.from('fmt \x04\0\0\0abcd')]),
      'too short',
    ],
    ['mu-law', edited(20, 7), '16-bit PCM'],
    ['8 bits', edited(34, 8), '16-bit PCM'],
    ['no channels', edited(22, 0), '0 channels'],
    ['too many channels', edited(22, 99), '99 channels'],
  ])('of %s is refused with its name', (_, bytes, why) => {
    expect(() => parseWav(bytes, 'bell.wav')).toThrow(why);
    expect(() => parseWav(bytes, 'bell.wav')).toThrow('bell.wav');
    expect(codeOf(() => parseWav(bytes, 'bell.wav'))).toBe('unsupported');
  });

  test('that is not there, or may not be written, is missing', () => {
    expect(codeOf(() => readWav(join(folder, 'none.wav')))).toBe('missing');
    expect(codeOf(() => readWav(folder))).toBe('missing');
    expect(codeOf(() => new WavWriter(join(folder, 'no/such/place.wav'), 8000))).toBe('missing');
  });

  test('never breaks the reader, whatever its bytes', () => {
    const good = file(wavHeader(8000, 4), samples(1, 2));
    for (let at = 0; at < good.length; at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        expect(['no error', 'unsupported']).toContain(codeOf(() => parseWav(bytes, 'x')));
        expect(['no error', 'unsupported']).toContain(codeOf(() => parseWav(bytes.subarray(0, at), 'x')));
      }
    }
  });

  test('written for a minute keeps its sizes', () => {
    const path = join(folder, 'long.wav');
    const writer = new WavWriter(path, 8000);
    const second = new Int16Array(8000);
    for (let i = 0; i < 60; i++) writer.write(second);
    writer.close();
    expect(readWav(path).samples).toHaveLength(480_000);
  });
});
