/**
 * G.722 at 64 kbit/s: 7 kHz of sound, two sub-bands of ADPCM, 6 bits for the lower and 2 for the higher (ITU-T G.722).
 * 16,000 samples a second, but an RTP clock of 8,000 by an old mistake that stays (RFC 3551 §4.5.2).
 */
import { Concealer } from '../concealment.ts';
import { BAD_PAYLOAD, type Decoder, type Encoder } from './codec.ts';
import { Band, type BandSpec, saturate } from './g722-band.ts';

export const G722_RATE = 16_000;
export const G722_CLOCK_RATE = 8_000;

/** Longest payload taken: 120 ms. Bytes, each two samples. */
const MAX_PAYLOAD_BYTES = 960;

/**
 * The tables of G.722 §6.2. Lower band, 6 bits: decision levels (Q6), the first three of
 * which are always reached, and the code of each interval, those of negative errors first.
 */
const LEVELS = Int32Array.of(
  ...[
    0, 0, 0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
  ],
  ...[1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
const LOWER_CODES = Int32Array.of(
  ...[
    0, 0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5,
  ],
  ...[
    4, 0, 0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35,
  ],
  ...[34, 33, 32],
);
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

/** The coefficients of the quadrature mirror filter (§3.1): 12 in one order for one half, in reverse for the other. */
const TAPS = 24;
/** Samples of the past that a filter needs beside the two newest. */
const PAST = TAPS - 2;
/** Pairs of samples that are worked on in one go. */
const PAIRS = 160;
const { imul } = Math;

/** −1 where a level is reached, given 4,096-fold, and 0 where not. */
const reached = (size: number, level: number) => ~((size - (level >> 12)) >> 31);

const LOWER: BandSpec = {
  ...{ step: 32, largest: 18_432, shift: 8, at: 0, mask: 63 },
  quantise(error, step) {
    const sign = error >> 31;
    const size = error ^ sign;
    // The levels rise: found by halves, and without branches, since where speech falls among them is chance.
    let at = 16 & reached(size, imul(LEVELS[16]!, step));
    at += 8 & reached(size, imul(LEVELS[at + 8]!, step));
    at += 4 & reached(size, imul(LEVELS[at + 4]!, step));
    at += 2 & reached(size, imul(LEVELS[at + 2]!, step));
    at += 1 & reached(size, imul(LEVELS[at + 1]!, step));
    return LOWER_CODES[at + (32 & ~sign)]!;
  },
  ...{ meaning: QM6, fine: 2, difference: QM4, growth: LOWER_GROWTH },
};

const HIGHER: BandSpec = {
  ...{ step: 8, largest: 22_528, shift: 10, at: 6, mask: 3 },
  quantise(error, step) {
    const sign = error >> 31;
    const isLarge = reached(error ^ sign, imul(HIGHER_DECISION, step));
    return (2 & ~sign) | (1 & ~isLarge);
  },
  ...{ meaning: QM2, fine: 0, difference: QM2, growth: HIGHER_GROWTH },
};

/** The two halves of the filter for each pair of a line of samples: `PAST` of them before the first pair. */
class MirrorFilter {
  readonly line = new Int32Array(PAST + 2 * PAIRS);
  /** Of each pair. */
  readonly first = new Int32Array(PAIRS);
  readonly second = new Int32Array(PAIRS);

  run(pairs: number) {
    const { line, first, second } = this;
    for (let pair = 0, at = 0; pair < pairs; pair++, at += 2) {
      first[pair] =
        imul(line[at + 1]!, -11) +
        imul(line[at + 3]!, 53) +
        imul(line[at + 5]!, -156) +
        imul(line[at + 7]!, 362) +
        imul(line[at + 9]!, -805) +
        imul(line[at + 11]!, 3876) +
        imul(line[at + 13]!, 951) +
        imul(line[at + 15]!, -210) +
        imul(line[at + 17]!, 32) +
        imul(line[at + 19]!, 12) +
        imul(line[at + 21]!, -11) +
        imul(line[at + 23]!, 3);
      second[pair] =
        imul(line[at]!, 3) +
        imul(line[at + 2]!, -11) +
        imul(line[at + 4]!, 12) +
        imul(line[at + 6]!, 32) +
        imul(line[at + 8]!, -210) +
        imul(line[at + 10]!, 951) +
        imul(line[at + 12]!, 3876) +
        imul(line[at + 14]!, -805) +
        imul(line[at + 16]!, 362) +
        imul(line[at + 18]!, -156) +
        imul(line[at + 20]!, 53) +
        imul(line[at + 22]!, -11);
    }
    line.copyWithin(0, 2 * pairs, 2 * pairs + PAST);
  }
}

/** Both sub-bands, and what they hold of the pairs that are worked on. */
class Bands {
  readonly lower = new Band(LOWER);
  readonly higher = new Band(HIGHER);
  readonly filter = new MirrorFilter();
  readonly low = new Int32Array(PAIRS);
  readonly high = new Int32Array(PAIRS);
}

export function g722Encoder(): Encoder {
  const { lower, higher, filter, low, high } = new Bands();
  return {
    rate: G722_RATE,
    encode(samples, into) {
      const bytes = samples.length >> 1;
      for (let done = 0; done < bytes; done += PAIRS) {
        const pairs = Math.min(PAIRS, bytes - done);
        const { line, first, second } = filter;
        for (let at = 0; at < 2 * pairs; at++) line[PAST + at] = samples[2 * done + at]!;
        filter.run(pairs);
        for (let pair = 0; pair < pairs; pair++) {
          const even = first[pair]!;
          const odd = second[pair]!;
          low[pair] = (even + odd) >> 14;
          high[pair] = (even - odd) >> 14;
        }
        lower.encode(low, pairs, into, done);
        higher.encode(high, pairs, into, done);
      }
      return bytes;
    },
    close() {},
  };
}

export function g722Decoder(): Decoder {
  const { lower, higher, filter, low, high } = new Bands();
  const concealer = new Concealer(G722_RATE);
  return {
    rate: G722_RATE,
    decode(payload, into) {
      const { length } = payload;
      if (length === 0 || length > MAX_PAYLOAD_BYTES) return BAD_PAYLOAD;
      for (let done = 0; done < length; done += PAIRS) {
        const pairs = Math.min(PAIRS, length - done);
        const { line, first, second } = filter;
        lower.decode(payload, done, pairs, low);
        higher.decode(payload, done, pairs, high);
        for (let index = 0; index < pairs; index++) {
          line[PAST + 2 * index] = low[index]! + high[index]!;
          line[PAST + 2 * index + 1] = low[index]! - high[index]!;
        }
        filter.run(pairs);
        for (let index = 0; index < pairs; index++) {
          into[2 * (done + index)] = saturate(first[index]! >> 11);
          into[2 * (done + index) + 1] = saturate(second[index]! >> 11);
        }
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
