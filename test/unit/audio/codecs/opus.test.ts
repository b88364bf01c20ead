import { afterEach, describe, expect, test } from 'vitest';
import { BAD_PAYLOAD } from '../../../../firmware/audio/codecs/codec.ts';
import { loadLibopus } from '../../../../firmware/audio/codecs/libopus.ts';
import { chooseOpus, type Opus, opusRate } from '../../../../firmware/audio/codecs/opus.ts';
import { loadOpusWasm } from '../../../../firmware/audio/codecs/opus-wasm.ts';
import { seeded } from '../../../sim/seeded.ts';
import { decibels, sine, toneLevel } from '../../../sim/tone.ts';

const options = { bitrate: 24_000, complexity: 5, fec: true, expectedLoss: 20 };
const open: { close(): void }[] = [];
const kept = <T extends { close(): void }>(part: T): T => {
  open.push(part);
  return part;
};
afterEach(() => {
  for (const part of open.splice(0)) part.close();
});

/** A voice-like sound, so that FEC has something to copy: a buzz with its loudness going up and down. */
function voice(rate: number, seconds: number): Int16Array {
  const samples = new Int16Array(rate * seconds);
  for (let index = 0; index < samples.length; index++) {
    const time = index / rate;
    let value = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++) {
      value += Math.sin(2 * Math.PI * 140 * harmonic * (time + 0.002 * Math.sin(2 * Math.PI * 3 * time))) / harmonic;
    }
    samples[index] = 6000 * value * (0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * time));
  }
  return samples;
}

const libraries: [string, (rate: number) => Promise<Opus | undefined>][] = [
  ['libopus-wasm', loadOpusWasm],
  ['libopus', async rate => loadLibopus(rate)],
];

describe.each(libraries)('%s', (name, load) => {
  test.each([8000, 16_000, 48_000])('a tone at %i Hz keeps its level within 1 dB', async rate => {
    const opus = await loadOrSay(load, rate);
    const encoder = kept(opus.encoder(options));
    const decoder = kept(opus.decoder());
    expect([opus.library, opus.rate, encoder.rate, decoder.rate]).toEqual([name, rate, rate, rate]);
    const tone = sine(1000, 8000, rate, 1);
    const heard = new Int16Array(rate);
    const packet = new Uint8Array(1500);
    const sound = new Int16Array((rate * 120) / 1000);
    const size = rate / 50;
    for (let at = 0; at < tone.length; at += size) {
      const bytes = encoder.encode(tone.subarray(at, at + size), packet);
      expect(bytes).toBeGreaterThan(5);
      expect(decoder.decode(packet.subarray(0, bytes), sound)).toBe(size);
      heard.set(sound.subarray(0, size), at);
    }
    expect(Math.abs(decibels(toneLevel(heard.subarray(rate / 5), 1000, rate) / 8000))).toBeLessThan(1);
  });

  test('recovers a lost packet from the next far better than by invention', async () => {
    const opus = await loadOrSay(load, 16_000);
    const error = { recovered: 0, concealed: 0 };
    for (const way of ['recovered', 'concealed'] as const) {
      const encoder = kept(opus.encoder(options));
      const whole = kept(opus.decoder());
      const holed = kept(opus.decoder());
      const packets: Uint8Array[] = [];
      const spoken = voice(16_000, 2);
      for (let at = 0; at < spoken.length; at += 320) {
        const packet = new Uint8Array(1500);
        packets.push(packet.subarray(0, encoder.encode(spoken.subarray(at, at + 320), packet)));
      }
      const wanted = new Int16Array(1920);
      const got = new Int16Array(1920);
      for (const [index, packet] of packets.entries()) {
        expect(whole.decode(packet, wanted)).toBe(320);
        const lost = index > 20 && index % 9 === 0 && index + 1 < packets.length;
        if (!lost) holed.decode(packet, got);
        else if (way === 'recovered') expect(holed.recover(packets[index + 1]!, got, 320)).toBe(320);
        else expect(holed.conceal(got, 320)).toBe(320);
        if (lost) for (let at = 0; at < 320; at++) error[way] += (wanted[at]! - got[at]!) ** 2;
      }
    }
    expect(10 * Math.log10(error.concealed / error.recovered)).toBeGreaterThan(3);
  });

  test('refuses what is not Opus and lives on', async () => {
    const opus = await loadOrSay(load, 16_000);
    const decoder = kept(opus.decoder());
    const sound = new Int16Array(1920);
    expect(decoder.decode(new Uint8Array(0), sound)).toBe(BAD_PAYLOAD);
    // Code 3 with a frame count of zero (RFC 6716 §3.2.5 R5).
    expect(decoder.decode(new Uint8Array([0x4b, 0x00]), sound)).toBe(BAD_PAYLOAD);
    const random = seeded(1);
    for (let round = 0; round < 2000; round++) {
      const junk = new Uint8Array(Math.floor(random.next() * 80)).map(() => random.uint32());
      expect(decoder.decode(junk, sound)).toBeLessThanOrEqual(1920);
    }
    const encoder = kept(opus.encoder(options));
    const packet = new Uint8Array(1500);
    const bytes = encoder.encode(sine(1000, 8000, 16_000, 0.02), packet);
    expect(decoder.decode(packet.subarray(0, bytes), sound)).toBe(320);
  });

  test('may be closed twice, and what is closed can be had again without end', async () => {
    const opus = await loadOrSay(load, 8000);
    for (let round = 0; round < 30; round++) {
      const encoder = opus.encoder(options);
      const decoder = opus.decoder();
      encoder.close();
      encoder.close();
      decoder.close();
      decoder.close();
    }
    const both = [kept(opus.encoder(options)), kept(opus.encoder(options))];
    expect(both[0]).not.toBe(both[1]);
  });
});

test('the WebAssembly codecs that can be in use at once are counted', async () => {
  const opus = await loadOrSay(loadOpusWasm, 8000);
  for (let index = 0; index < 8; index++) kept(opus.decoder());
  expect(() => opus.decoder()).toThrow(/more than 8 Opus decoders/);
});

async function loadOrSay(load: (rate: number) => Promise<Opus | undefined>, rate: number): Promise<Opus> {
  const opus = await load(rate);
  if (!opus) throw new Error('this machine lacks libopus.so.0 (Debian: apt install libopus0)');
  return opus;
}

test('the system library comes first', async () => {
  expect((await chooseOpus(16_000))?.library).toBe('libopus');
});

test('runs at the rate of the sound card where Opus knows that rate', () => {
  expect([8000, 16_000, 32_000, 44_100, 48_000].map(opusRate)).toEqual([8000, 16_000, 48_000, 48_000, 48_000]);
});
