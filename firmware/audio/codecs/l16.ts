/** L16: samples as they are, 16 bits, the upper byte first (RFC 3551 §4.5.11). For pages on networks with room for it. */
import { Concealer } from '../concealment.ts';
import { BAD_PAYLOAD, type Decoder, type Encoder } from './codec.ts';

/** Samples per second, and channels, which are averaged to one. */
export const l16Names = ['L16/8000', 'L16/16000', 'L16/44100', 'L16/48000', 'L16/44100/2', 'L16/48000/2'] as const;
export type L16Name = (typeof l16Names)[number];

const SAMPLE_BYTES = 2;

export const isL16 = (name: string): name is L16Name => (l16Names as readonly string[]).includes(name);

export function l16Of(name: L16Name): { rate: number; channels: number } {
  const [, rate, channels = '1'] = name.split('/');
  return { rate: Number(rate), channels: Number(channels) };
}

/** One channel. */
export function l16Encoder(name: L16Name): Encoder {
  const { rate } = l16Of(name);
  return {
    rate,
    encode(samples, into) {
      for (let index = 0; index < samples.length; index++) {
        into[2 * index] = samples[index]! >> 8;
        into[2 * index + 1] = samples[index]!;
      }
      return samples.length * SAMPLE_BYTES;
    },
    close() {},
  };
}

export function l16Decoder(name: L16Name): Decoder {
  const { rate, channels } = l16Of(name);
  const instantBytes = channels * SAMPLE_BYTES;
  const concealer = new Concealer(rate);
  const conceal = (into: Int16Array, samples: number) => {
    concealer.conceal(into, samples);
    return samples;
  };
  return {
    rate,
    decode(payload, into) {
      const instants = payload.length / instantBytes;
      if (instants === 0 || !Number.isInteger(instants) || instants > into.length) return BAD_PAYLOAD;
      for (let index = 0; index < instants; index++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) {
          const at = index * instantBytes + channel * SAMPLE_BYTES;
          sum += ((payload[at]! << 24) | (payload[at + 1]! << 16)) >> 16;
        }
        into[index] = Math.trunc(sum / channels);
      }
      concealer.good(into, instants);
      return instants;
    },
    conceal,
    recover: (_following, into, samples) => conceal(into, samples),
    close() {},
  };
}
