/** Opus (RFC 6716): which library does it here, and what any of them must offer. */
import type { Decoder, Encoder } from './codec.ts';
import { loadLibopus } from './libopus.ts';

export interface OpusOptions {
  /** Bits per second. */
  bitrate: number;
  /** 0 (least work) to 10. */
  complexity: number;
  /** Sends each packet's essence again within the next one (in-band FEC). */
  fec: boolean;
  /** What the encoder should expect to get lost, percent: the more, the more of the bit rate goes to FEC. */
  expectedLoss: number;
  /** Sends nothing while it is silent, but for a packet each 400 ms (discontinuous transmission). */
  dtx?: boolean;
}

/** A packet no longer than this says "as before" and need not be sent (opus_encode in opus.h). Bytes. */
export const OPUS_SILENT_BYTES = 2;

/** Opus at one rate inside: 8000, 12000, 16000, 24000 or 48000 samples per second. On the line it is always 48000. */
export interface Opus {
  readonly rate: number;
  readonly library: 'libopus' | 'libopus-wasm';
  /** Throws where the library refuses the options: they are ours, so that is our mistake. */
  encoder(options: OpusOptions): Encoder;
  decoder(): Decoder;
}

/** The RTP clock of Opus, whatever rate it runs at inside (RFC 7587 §4.1). */
export const OPUS_CLOCK_RATE = 48_000;

/** Largest packet sent, bytes: 1275 is the most one Opus frame can hold (RFC 6716 §3.4 R2). */
export const OPUS_MAX_BYTES = 1275;

/** The rates that Opus runs at inside. */
const RATES: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000];

/** The rate to run Opus at beside a sound card of `rate`: the same where Opus knows it, so nothing is resampled. */
export const opusRate = (rate: number): number => (RATES.includes(rate) ? rate : OPUS_CLOCK_RATE);

/** The system's libopus (half the work), else the one compiled to WebAssembly, else none. `rate`: from `opusRate`. */
export async function chooseOpus(rate: number): Promise<Opus | undefined> {
  const native = loadLibopus(rate);
  if (native !== undefined) return native;
  // Half a megabyte of text, read only where it is needed.
  const { loadOpusWasm } = await import('./opus-wasm.ts');
  return loadOpusWasm(rate);
}
