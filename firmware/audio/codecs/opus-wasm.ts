/** Opus by libopus compiled to WebAssembly, for machines without the library: about half as much work again, the same sound. */
import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
} from 'libopus-wasm';
import { MAX_PACKET_MS } from '../frame.ts';
import { BAD_PAYLOAD } from './codec.ts';
import { OPUS_MAX_BYTES, OPUS_SILENT_BYTES, type Opus } from './opus.ts';

/**
 * Encoders, and decoders, that can be in use at once at one rate. The package makes them asynchronously and a call
 * cannot wait, so all are made beforehand; one given back is used again, whatever little it remembers.
 */
const IN_USE_LIMIT = 8;

/** `rate`: the one rate that its encoders and decoders will run at. Undefined where WebAssembly does not work. */
export async function loadOpusWasm(rate: number): Promise<Opus | undefined> {
  const sampleRate = rate as 8000 | 12000 | 16000 | 24000 | 48000;
  const encoders: OpusEncoderHandle[] = [];
  const decoders: OpusDecoderHandle[] = [];
  try {
    for (let index = 0; index < IN_USE_LIMIT; index++) {
      encoders.push(await createEncoder({ sampleRate, channels: 1, application: Application.Voip }));
      decoders.push(await createDecoder({ sampleRate, channels: 1 }));
    }
  } catch {
    return undefined;
  }

  function take<T>(free: T[], what: string): T {
    const taken = free.pop();
    if (taken === undefined) throw new Error(`more than ${IN_USE_LIMIT} Opus ${what} in use`);
    return taken;
  }

  return {
    rate,
    library: 'libopus-wasm',

    encoder({ bitrate, complexity, fec, expectedLoss, dtx = false }) {
      let handle: OpusEncoderHandle | undefined = take(encoders, 'encoders');
      handle.setBitrate(bitrate);
      handle.setComplexity(complexity);
      handle.setFec(fec);
      handle.setPacketLossPercent(expectedLoss);
      handle.setDtx(dtx);
      const options = { frameSize: 0, maxPacketBytes: OPUS_MAX_BYTES };
      return {
        rate,
        encode(samples, into) {
          options.frameSize = samples.length;
          options.maxPacketBytes = Math.min(into.length, OPUS_MAX_BYTES);
          try {
            const packet = handle!.encode(samples, options);
            if (packet.length <= (dtx ? OPUS_SILENT_BYTES : 0)) return 0;
            into.set(packet);
            return packet.length;
          } catch {
            return 0;
          }
        },
        expectLoss: percent => handle?.setPacketLossPercent(percent),
        close() {
          if (handle) encoders.push(handle);
          handle = undefined;
        },
      };
    },

    decoder() {
      let handle: OpusDecoderHandle | undefined = take(decoders, 'decoders');
      const whole = { frameSize: (rate * MAX_PACKET_MS) / 1000 };
      const lost = { frameSize: 0 };
      const recovered = { frameSize: 0, decodeFec: true };

      /** Samples written, or −1: the package throws where the library returns an error. */
      function decode(payload: Uint8Array | null, into: Int16Array, options: typeof lost): number {
        try {
          const samples = handle!.decode(payload, options);
          into.set(samples);
          return samples.length;
        } catch {
          return BAD_PAYLOAD;
        }
      }

      function conceal(into: Int16Array, samples: number) {
        lost.frameSize = samples;
        return Math.max(0, decode(null, into, lost));
      }

      return {
        rate,
        decode: (payload, into) => (payload.length === 0 ? BAD_PAYLOAD : decode(payload, into, whole)),
        conceal,
        recover(following, into, samples) {
          recovered.frameSize = samples;
          const written = following.length === 0 ? BAD_PAYLOAD : decode(following, into, recovered);
          return written > 0 ? written : conceal(into, samples);
        },
        close() {
          if (handle) decoders.push(handle);
          handle = undefined;
        },
      };
    },
  };
}
