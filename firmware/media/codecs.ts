/** From a negotiated codec to the encoder and decoder that do it. */
import type { Decoder, Encoder } from '../audio/codecs/codec.ts';
import { G711_RATE, g711Decoder, g711Encoder } from '../audio/codecs/g711.ts';
import { OPUS_CLOCK_RATE, type Opus } from '../audio/codecs/opus.ts';
import type { CodecChoice, CodecName, MediaSettings } from './protocol.ts';

/** Ticks per second of the codec's RTP timestamp. G.711: RFC 3551 §4.5.14; Opus: RFC 7587 §4.1. */
export const clockRateOf = (name: CodecName): number => (name === 'opus' ? OPUS_CLOCK_RATE : G711_RATE);

export interface Codecs {
  /** Throws where this device cannot do the codec, or not once more. */
  encoder(choice: CodecChoice): Encoder;
  decoder(name: CodecName): Decoder;
}

export function makeCodecs(opus: Opus | undefined, settings: MediaSettings['opus']): Codecs {
  const needOpus = () => {
    if (opus === undefined) throw new Error('this device has no Opus library');
    return opus;
  };
  return {
    encoder(choice) {
      if (choice.name !== 'opus') return g711Encoder(choice.name);
      const { bitrate, complexity, expectedLoss } = settings;
      return needOpus().encoder({ bitrate, complexity, expectedLoss, fec: choice.fec ?? false });
    },
    decoder: name => (name === 'opus' ? needOpus().decoder() : g711Decoder(name)),
  };
}
