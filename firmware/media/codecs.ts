/** From a negotiated codec to the encoder and decoder that do it. */
import type { Decoder, Encoder } from '../audio/codecs/codec.ts';
import { G711_RATE, g711Decoder, g711Encoder } from '../audio/codecs/g711.ts';
import { G722_CLOCK_RATE, g722Decoder, g722Encoder } from '../audio/codecs/g722.ts';
import { isL16, type L16Name, l16Decoder, l16Encoder, l16Of } from '../audio/codecs/l16.ts';
import { OPUS_CLOCK_RATE, type Opus } from '../audio/codecs/opus.ts';
import type { CodecChoice, CodecName, MediaSettings } from './protocol.ts';

const CLOCK_RATES: Readonly<Record<Exclude<CodecName, L16Name>, number>> = {
  PCMU: G711_RATE,
  PCMA: G711_RATE,
  G722: G722_CLOCK_RATE,
  opus: OPUS_CLOCK_RATE,
};

/**
 * Ticks per second of the codec's RTP timestamp. G.711: RFC 3551 §4.5.14; G.722: §4.5.2; L16: §4.5.11; Opus: RFC 7587
 * §4.1.
 */
export const clockRateOf = (name: CodecName): number => (isL16(name) ? l16Of(name).rate : CLOCK_RATES[name]);

export interface Codecs {
  /** What an encoder with copies reckons with until the far end reports. Percent. */
  readonly expectedLoss: number;
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
    expectedLoss: settings.expectedLoss,
    encoder(choice) {
      if (choice.name === 'G722') return g722Encoder();
      if (isL16(choice.name)) return l16Encoder(choice.name);
      if (choice.name !== 'opus') return g711Encoder(choice.name);
      const { complexity, expectedLoss } = settings;
      const bitrate = Math.min(settings.bitrate, choice.maxBitrate ?? Number.POSITIVE_INFINITY);
      return needOpus().encoder({
        bitrate,
        complexity,
        expectedLoss,
        fec: choice.fec ?? false,
        dtx: choice.silence ?? false,
      });
    },
    decoder(name) {
      if (name === 'G722') return g722Decoder();
      if (isL16(name)) return l16Decoder(name);
      return name === 'opus' ? needOpus().decoder() : g711Decoder(name);
    },
  };
}
