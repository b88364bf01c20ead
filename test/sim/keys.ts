/** Telephone keys as sound (ITU-T Q.23): tidy, or as bad as a line may make them. */
import { DtmfDetector } from '../../firmware/audio/dtmf-detector.ts';
import { frameSamples } from '../../firmware/audio/frame.ts';
import { seeded } from './seeded.ts';

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';

export interface KeySound {
  rate?: number;
  /** Of the stronger tone, against the loudest pair that does not clip. */
  db?: number;
  /** Column against row. */
  twistDb?: number;
  /** Noise against the pair. */
  snrDb?: number;
  /** Off the nominal frequency: 0.015 is 1.5 % high. */
  detune?: number;
  onMs?: number;
  offMs?: number;
  /** Silence (or noise) before the first key: moves the keys against the frames. */
  leadMs?: number;
}

/** The keys one after the other, and 100 ms behind them. */
export function keySound(keys: string, options: KeySound = {}): Int16Array {
  const { rate = 16_000, db = -10, twistDb = 0, snrDb, detune = 0, onMs = 100, offMs = 100, leadMs = 0 } = options;
  const loudest = 16_383 * 10 ** (db / 20);
  const row = loudest * 10 ** (Math.min(0, -twistDb) / 20);
  const column = loudest * 10 ** (Math.min(0, twistDb) / 20);
  const noise = snrDb === undefined ? 0 : Math.hypot(row, column) * Math.SQRT1_2 * 10 ** (-snrDb / 20);
  const random = seeded(7);
  const samples = new Int16Array(Math.round((rate * (leadMs + keys.length * (onMs + offMs) + 100)) / 1000));
  for (let index = 0; index < samples.length; index++) {
    const ms = (index * 1000) / rate - leadMs;
    const which = Math.floor(ms / (onMs + offMs));
    let value = noise === 0 ? 0 : noise * gaussian(random.next(), random.next());
    if (ms >= 0 && which < keys.length && ms - which * (onMs + offMs) < onMs) {
      const key = KEYS.indexOf(keys[which]!);
      const turn = (2 * Math.PI * (1 + detune) * ms) / 1000;
      value += row * Math.sin(turn * ROWS[key >> 2]!) + column * Math.sin(turn * COLUMNS[key & 3]!);
    }
    samples[index] = Math.max(-32_768, Math.min(32_767, Math.round(value)));
  }
  return samples;
}

const gaussian = (a: number, b: number) => Math.sqrt(-2 * Math.log(a + 1e-12)) * Math.cos(2 * Math.PI * b);

/** What the detector hears, and how long each key lasted. */
export function keysIn(sound: Int16Array, rate = 16_000): { keys: string; lastedMs: number[] } {
  let keys = '';
  const lastedMs: number[] = [];
  const detector = new DtmfDetector(rate, (key, durationMs) => {
    keys += key;
    lastedMs.push(durationMs);
  });
  const size = frameSamples(rate);
  for (let at = 0; at + size <= sound.length; at += size) detector.process(sound.subarray(at, at + size));
  return { keys, lastedMs };
}

/** A microphone that hears this sound once, then silence. */
export function speaksOnce(sound: Int16Array, fromMs = 0, rate = 16_000) {
  return (frame: Int16Array, index: number) => {
    const from = index * frame.length - (fromMs * rate) / 1000;
    for (let at = 0; at < frame.length; at++) frame[at] = sound[from + at] ?? 0;
  };
}
