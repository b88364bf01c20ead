/**
 * G.722 at 64 kbit/s: 7 kHz of sound, two sub-bands of ADPCM, 6 bits for the lower and 2 for the higher (ITU-T G.722).
 * 16,000 samples a second, but an RTP clock of 8,000 by an old mistake that stays (RFC 3551 §4.5.2).
 */
import { Concealer } from '../concealment.ts';
import { BAD_PAYLOAD, type Decoder, type Encoder } from './codec.ts';
import { Band, HIGHER, LOWER, saturate } from './g722-band.ts';

export const G722_RATE = 16_000;
export const G722_CLOCK_RATE = 8_000;

/** Longest payload taken: 120 ms. Bytes, each two samples. */
const MAX_PAYLOAD_BYTES = 960;

/** The tables of G.722 §6.2. Lower band, 6 bits: decision levels, and the code of each interval by sign. */
const Q6 = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
  1458, 1612, 1765, 1980, 2195, 2557, 2919,
] as const;
const LOWER_NEGATIVE = [
  0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4,
] as const;
const LOWER_POSITIVE = [
  0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33,
  32,
] as const;
/** What a code means, by 4 bits for the predictor and by 6 for the ear. */
const QM4 = Int32Array.of(
  0,
  -20_456,
  -12_896,
  -8_968,
  -6_288,
  -4_240,
  -2_584,
  -1_200,
  20_456,
  12_896,
  8_968,
  6_288,
  4_240,
  2_584,
  1_200,
  0,
);
const QM6 = Int32Array.of(
  ...[-136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9_360],
  ...[-8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776, -2_400, -2_032],
  ...[-1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360],
  ...[8_576, 7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360],
  ...[1_040, 728, 432, 136, -432, -136],
);
/** By how much each code of 4 bits makes the step's logarithm grow (WL by RL4). */
const LOWER_GROWTH = Int32Array.of(
  -60,
  3_042,
  1_198,
  538,
  334,
  172,
  58,
  -30,
  3_042,
  1_198,
  538,
  334,
  172,
  58,
  -30,
  -60,
);
/** Higher band, 2 bits. */
const QM2 = Int32Array.of(-7_408, -1_616, 7_408, 1_616);
const HIGHER_GROWTH = Int32Array.of(798, -214, 798, -214);
const HIGHER_DECISION = 564;

/** The quadrature mirror filter of §3.1: half of its 24 coefficients; the others are the same in reverse. */
const QMF = Int32Array.of(3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11);
const TAPS = 24;

class Codes {
  readonly #lower = new Band(LOWER);
  readonly #higher = new Band(HIGHER);

  /** QUANTL and QUANTH: the byte for one sample of each sub-band. */
  encode(low: number, high: number): number {
    const lower = this.#lower;
    const error = saturate(low - lower.expected);
    const size = error >= 0 ? error : -(error + 1);
    let level = 1;
    while (level < 30 && size >= (Q6[level]! * lower.step) >> 12) level++;
    const lowCode = error < 0 ? LOWER_NEGATIVE[level]! : LOWER_POSITIVE[level]!;

    const higher = this.#higher;
    const highError = saturate(high - higher.expected);
    const isLarge = (highError >= 0 ? highError : -(highError + 1)) >= (HIGHER_DECISION * higher.step) >> 12;
    const highCode = (highError < 0 ? 0 : 2) + (isLarge ? 0 : 1);

    this.#adapt(lowCode, highCode);
    return (highCode << 6) | lowCode;
  }

  /** INVQBL and RECONS of both: the samples that a byte means, low before high. */
  decode(byte: number, into: Int32Array) {
    const lowCode = byte & 63;
    const highCode = byte >> 6;
    into[0] = limit(this.#lower.expected + ((this.#lower.step * QM6[lowCode]!) >> 15));
    into[1] = limit(this.#higher.expected + ((this.#higher.step * QM2[highCode]!) >> 15));
    this.#adapt(lowCode, highCode);
  }

  #adapt(lowCode: number, highCode: number) {
    const code = lowCode >> 2;
    this.#lower.adapt((this.#lower.step * QM4[code]!) >> 15, LOWER_GROWTH[code]!);
    this.#higher.adapt((this.#higher.step * QM2[highCode]!) >> 15, HIGHER_GROWTH[highCode]!);
  }
}

/** LIMIT: 15 bits. */
const limit = (value: number) => Math.max(-16_384, Math.min(value, 16_383));

export function g722Encoder(): Encoder {
  const codes = new Codes();
  const past = new Int32Array(TAPS);
  return {
    rate: G722_RATE,
    encode(samples, into) {
      const bytes = samples.length >> 1;
      for (let index = 0; index < bytes; index++) {
        past.copyWithin(0, 2);
        past[TAPS - 2] = samples[2 * index]!;
        past[TAPS - 1] = samples[2 * index + 1]!;
        let even = 0;
        let odd = 0;
        for (let tap = 0; tap < TAPS / 2; tap++) {
          odd += past[2 * tap]! * QMF[tap]!;
          even += past[2 * tap + 1]! * QMF[TAPS / 2 - 1 - tap]!;
        }
        into[index] = codes.encode((even + odd) >> 14, (even - odd) >> 14);
      }
      return bytes;
    },
    close() {},
  };
}

export function g722Decoder(): Decoder {
  const codes = new Codes();
  const past = new Int32Array(TAPS);
  const pair = new Int32Array(2);
  const concealer = new Concealer(G722_RATE);
  return {
    rate: G722_RATE,
    decode(payload, into) {
      const { length } = payload;
      if (length === 0 || length > MAX_PAYLOAD_BYTES) return BAD_PAYLOAD;
      for (let index = 0; index < length; index++) {
        codes.decode(payload[index]!, pair);
        past.copyWithin(0, 2);
        past[TAPS - 2] = pair[0]! + pair[1]!;
        past[TAPS - 1] = pair[0]! - pair[1]!;
        let first = 0;
        let second = 0;
        for (let tap = 0; tap < TAPS / 2; tap++) {
          second += past[2 * tap]! * QMF[tap]!;
          first += past[2 * tap + 1]! * QMF[TAPS / 2 - 1 - tap]!;
        }
        into[2 * index] = saturate(first >> 11);
        into[2 * index + 1] = saturate(second >> 11);
      }
      concealer.good(into, 2 * length);
      return 2 * length;
    },
    conceal(into, samples) {
      concealer.conceal(into, samples);
      return samples;
    },
    recover(_following, into, samples) {
      concealer.conceal(into, samples);
      return samples;
    },
    close() {},
  };
}
