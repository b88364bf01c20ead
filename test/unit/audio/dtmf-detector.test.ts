/** Keys in sound are heard as ITU-T Q.24 wants it of a receiver; voices, noise and other tones press none. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Decoder, Encoder } from '../../../firmware/audio/codecs/codec.ts';
import { g711Decoder, g711Encoder } from '../../../firmware/audio/codecs/g711.ts';
import { g722Decoder, g722Encoder } from '../../../firmware/audio/codecs/g722.ts';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { countries, type Tone, ToneGenerator, toneOf } from '../../../firmware/audio/tones.ts';
import { isBadWav, parseWav } from '../../../firmware/audio/wav.ts';
import { type KeySound, keySound, keysIn } from '../../sim/keys.ts';
import { seeded } from '../../sim/seeded.ts';

const ALL = '123A456B789C*0#D';
/** Wherever a key begins within a frame. */
const leads = Array.from({ length: 13 }, (_, index) => index * 1.7);

describe('all sixteen keys are heard, once each and in their order,', () => {
  test.each<[string, KeySound]>([
    ['at 0 dB', { db: 0 }],
    ['at −30 dB', { db: -30 }],
    ['with the column 6 dB louder', { twistDb: 6 }],
    ['with the row 6 dB louder', { twistDb: -6 }],
    ['in noise of 15 dB', { snrDb: 15 }],
    ['in noise, faint and twisted', { snrDb: 15, db: -30, twistDb: 6 }],
    ['1.5 % high', { detune: 0.015 }],
    ['1.5 % low', { detune: -0.015 }],
    ['of 40 ms with pauses of 40 ms', { onMs: 40, offMs: 40 }],
    ['of 40 ms, 1.5 % low, in noise of 15 dB', { onMs: 40, offMs: 40, snrDb: 15, detune: -0.015 }],
    ['at 8 kHz', { rate: 8000, onMs: 40, offMs: 40, snrDb: 15 }],
    ['at 48 kHz', { rate: 48_000, onMs: 40, offMs: 40 }],
  ])('%s', (_, options) => {
    for (const leadMs of leads) expect(keysIn(keySound(ALL, { ...options, leadMs }), options.rate).keys).toBe(ALL);
  });

  test('doubled ones as two', () => {
    expect(keysIn(keySound('1100##', { onMs: 50, offMs: 50 })).keys).toBe('1100##');
  });

  test('with their length, to 20 ms', () => {
    for (const onMs of [50, 100, 400]) {
      const [lasted] = keysIn(keySound('5', { onMs, leadMs: 3 })).lastedMs;
      expect(Math.abs(lasted! - onMs)).toBeLessThanOrEqual(20);
    }
  });

  test('a break of 10 ms within a key does not make two of it', () => {
    for (const leadMs of leads) {
      const sound = keySound('5', { onMs: 200, leadMs });
      sound.fill(0, 16 * (leadMs + 100), 16 * (leadMs + 110));
      expect(keysIn(sound).keys).toBe('5');
    }
  });
});

describe('not a key is', () => {
  test.each<[string, KeySound]>([
    ['a pair 3.5 % high', { detune: 0.035 }],
    ['a pair 3.5 % low', { detune: -0.035 }],
    ['a pair of 23 ms', { onMs: 23 }],
    ['one tone 12 dB louder than the other', { twistDb: 12 }],
    ['a pair in noise of 3 dB', { snrDb: 3 }],
    ['a pair that nobody could hear', { db: -50 }],
  ])('%s', (_, options) => {
    for (const leadMs of leads) expect(keysIn(keySound(ALL, { ...options, leadMs })).keys).toBe('');
  });

  test('any tone of any telephone network', () => {
    for (const country of countries) {
      for (const tone of ['dial', 'ringback', 'busy', 'congestion', 'waiting', 'ring', 'answered', 'page'] as Tone[]) {
        const generator = new ToneGenerator(toneOf(tone, country), 16_000);
        const sound = new Int16Array(16_000 * 4);
        for (let at = 0; at < sound.length; at += 160) generator.read(sound.subarray(at, at + 160));
        expect(keysIn(sound).keys, `${tone} of ${country}`).toBe('');
      }
    }
  });

  test('ten minutes of noise', () => {
    const random = seeded(11);
    const sound = Int16Array.from({ length: 16_000 * 600 }, () => (random.next() - 0.5) * 20_000);
    expect(keysIn(sound).keys).toBe('');
  });
});

describe('through a codec', () => {
  const opus = loadLibopus(16_000)!;
  const worst: KeySound[] = [
    { db: 0 },
    { db: -30 },
    { twistDb: 6 },
    { twistDb: -6 },
    { snrDb: 15, detune: 0.015 },
    { onMs: 40, offMs: 40 },
  ];
  /** A key of 40 ms, or one in noise, comes out of Opus so blurred that it could as well be a voice. */
  const worstOfOpus: KeySound[] = [
    { db: 0 },
    { db: -20 },
    { twistDb: 6 },
    { twistDb: -6 },
    { snrDb: 25, detune: 0.015 },
  ];
  const codecs: [string, () => [Encoder, Decoder], KeySound[]][] = [
    ['PCMA', () => [g711Encoder('PCMA'), g711Decoder('PCMA')], worst],
    ['PCMU', () => [g711Encoder('PCMU'), g711Decoder('PCMU')], worst],
    ['G.722', () => [g722Encoder(), g722Decoder()], worst],
    [
      'Opus at 24 kbit/s',
      () => [opus.encoder({ bitrate: 24_000, complexity: 5, fec: true, expectedLoss: 10 }), opus.decoder()],
      worstOfOpus,
    ],
  ];
  const through = (sound: Int16Array, make: () => [Encoder, Decoder]) => {
    const [encoder, decoder] = make();
    const packet = new Uint8Array(1500);
    const decoded = new Int16Array((decoder.rate * 120) / 1000);
    const heard = new Int16Array(sound.length + decoded.length);
    let count = 0;
    for (let at = 0; at + encoder.rate / 50 <= sound.length; at += encoder.rate / 50) {
      const bytes = encoder.encode(sound.subarray(at, at + encoder.rate / 50), packet);
      const samples = decoder.decode(packet.subarray(0, bytes), decoded);
      heard.set(decoded.subarray(0, samples), count);
      count += samples;
    }
    encoder.close();
    decoder.close();
    return keysIn(heard.subarray(0, count), decoder.rate).keys;
  };

  test.each(codecs)('%s all keys are heard, loud, faint, twisted, in noise', (_, make, ways) => {
    const { rate } = make()[0];
    for (const options of ways) {
      for (const leadMs of [0, 4.6, 11.3]) {
        expect(through(keySound(ALL, { ...options, rate, leadMs }), make), JSON.stringify(options)).toBe(ALL);
      }
    }
  });
});

describe('a voice presses no key', () => {
  test.each(['visitor', 'desk', 'page'])('%s, from slow and deep to quick and shrill', name => {
    const wav = parseWav(readFileSync(new URL(`../../fixtures/speech/${name}.wav`, import.meta.url)));
    if (isBadWav(wav)) throw new Error(wav.malformed);
    const sound = new Int16Array(wav.length);
    wav.read(0, wav.length, sound);
    // The same samples taken for another rate: another pitch and pace.
    for (let rate = 10_000; rate <= 26_000; rate += 500) expect(keysIn(sound, rate).keys).toBe('');
  });
});
