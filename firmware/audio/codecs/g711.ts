/**
 * G.711: A-law and µ-law by table.
 *
 * Expansion gives the decoder output values of ITU-T G.711 Tables 1 and 2, scaled to 16 bits (A-law ×8, µ-law ×4).
 * Compression follows the decision values of the same tables on the 16-bit sample: a value on a decision boundary goes
 * to the segment above it in magnitude, and what the coarser law cannot hold is cut, not rounded (G.191 STL). Zero and
 * above are the positive half. Every code therefore survives decode → encode, but for µ-law's negative zero.
 */
import { Concealer } from '../concealment.ts';
import { BAD_PAYLOAD, type Decoder, type Encoder } from './codec.ts';

export type Law = 'PCMA' | 'PCMU';

export const G711_RATE = 8000;

/** Longest payload taken, in bytes, each one sample: 120 ms. */
const MAX_PAYLOAD_BYTES = 960;

const ULAW_BIAS = 132;
const ULAW_CLIP = 32635;

/** Even bits of an A-law code are inverted on the line (G.711 Table 1a note 2). */
const ALAW_LINE = 0x55;

export function expandALaw(code: number): number {
  const plain = code ^ ALAW_LINE;
  const segment = (plain >> 4) & 7;
  const step = plain & 15;
  const magnitude = segment === 0 ? (step << 4) + 8 : ((step << 4) + 0x108) << (segment - 1);
  return plain & 0x80 ? magnitude : -magnitude;
}

export function expandULaw(code: number): number {
  const plain = ~code & 0xff;
  const magnitude = ((((plain & 15) << 3) + ULAW_BIAS) << ((plain >> 4) & 7)) - ULAW_BIAS;
  return plain & 0x80 ? -magnitude : magnitude;
}

/** The bit length beyond `below`, as segment number: 0 for the first segment. */
const segmentOf = (magnitude: number, below: number) => Math.max(0, 32 - Math.clz32(magnitude) - below);

export function compressALaw(sample: number): number {
  // 13-bit law: the lowest three bits of the 16 are outside it. Negative values mirror by ones' complement, so that
  // -1 falls in the first negative step as 0 falls in the first positive one.
  const positive = sample >= 0;
  const magnitude = (positive ? sample : -sample - 1) >> 4;
  const segment = segmentOf(magnitude, 4);
  const step = segment === 0 ? magnitude : (magnitude >> (segment - 1)) & 15;
  return ((positive ? 0x80 : 0) | (segment << 4) | step) ^ ALAW_LINE;
}

export function compressULaw(sample: number): number {
  const positive = sample >= 0;
  const magnitude = Math.min(positive ? sample : -sample, ULAW_CLIP) + ULAW_BIAS;
  const segment = segmentOf(magnitude, 8);
  const step = (magnitude >> (segment + 3)) & 15;
  return ~((positive ? 0 : 0x80) | (segment << 4) | step) & 0xff;
}

const tables = {
  PCMA: makeTables(compressALaw, expandALaw),
  PCMU: makeTables(compressULaw, expandULaw),
};

function makeTables(compress: (sample: number) => number, expand: (code: number) => number) {
  const compressed = new Uint8Array(65_536);
  for (let sample = -32_768; sample < 32_768; sample++) compressed[sample & 0xffff] = compress(sample);
  const expanded = new Int16Array(256);
  for (let code = 0; code < 256; code++) expanded[code] = expand(code);
  return { compressed, expanded };
}

export function g711Encoder(law: Law): Encoder {
  const { compressed } = tables[law];
  return {
    rate: G711_RATE,
    encode(samples, into) {
      for (let index = 0; index < samples.length; index++) into[index] = compressed[samples[index]! & 0xffff]!;
      return samples.length;
    },
    close() {},
  };
}

export function g711Decoder(law: Law): Decoder {
  const { expanded } = tables[law];
  const concealer = new Concealer(G711_RATE);
  return {
    rate: G711_RATE,
    decode(payload, into) {
      const { length } = payload;
      if (length === 0 || length > MAX_PAYLOAD_BYTES) return BAD_PAYLOAD;
      for (let index = 0; index < length; index++) into[index] = expanded[payload[index]!]!;
      concealer.good(into, length);
      return length;
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

/** What one byte means, for files that hold G.711. */
export const expansion = (law: Law): Int16Array => tables[law].expanded;
