/** WAV files: what can be read from one, and the header of those written here. */
import { expansion } from './codecs/g711.ts';

/** The largest file taken, bytes: eight minutes of 16 kHz, one of 48 kHz stereo in 24 bits. */
export const MAX_WAV_BYTES = 16 * 1024 * 1024;
export const WAV_HEADER_BYTES = 44;

/** The rates that files have. Others would need a resampling filter of their own size. */
const RATES: readonly number[] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const MAX_CHANNELS = 8;

/** Format tags of RFC 2361 Appendix A. */
const PCM = 1;
const IEEE_FLOAT = 3;
const ALAW = 6;
const MULAW = 7;
const EXTENSIBLE = 0xfffe;

export interface Wav {
  /** Samples per second. */
  rate: number;
  /** Instants of sound; each has `channels` samples in the file. */
  length: number;
  channels: number;
  encoding: string;
  /** Decodes `count` instants from `from` into the front of `into`, channels averaged to one. */
  read(from: number, count: number, into: Int16Array): void;
  /** Gives back what it holds: it has been played. */
  close?(): void;
}

/** A file that cannot be played, and why, in words for the one who made it. */
export interface BadWav {
  malformed: string;
}

export const isBadWav = (wav: Wav | BadWav): wav is BadWav => 'malformed' in wav;

interface Format {
  tag: number;
  channels: number;
  rate: number;
  bits: number;
}

/**
 * Reads PCM of 8, 16, 24 and 32 bits, float of 32 and 64, A-law and µ-law, of 1 to 8 channels. `bytes` is kept. A file
 * cut short, or streamed with sizes unknown, plays as far as it goes.
 */
export function parseWav(bytes: Uint8Array): Wav | BadWav {
  if (bytes.length > MAX_WAV_BYTES) {
    return { malformed: `the file has ${bytes.length} bytes, the limit is ${MAX_WAV_BYTES}` };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || word(0) !== 'RIFF' || word(8) !== 'WAVE') {
    return { malformed: 'this is not a WAV file (no RIFF … WAVE at its start)' };
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = word(at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === 'fmt ') {
      if (size < 16 || body + Math.min(size, 26) > bytes.length) return { malformed: 'its fmt chunk is cut short' };
      format = readFormat(view, body, size);
    } else if (id === 'data') {
      if (format === undefined) return { malformed: 'its sound comes before its fmt chunk' };
      return readData(view, format, body, Math.min(size, bytes.length - body));
    }
    // Chunks begin at even places (RIFF).
    at = body + size + (size & 1);
  }
  return { malformed: format ? 'it has no data chunk' : 'it has no fmt chunk' };
}

function readFormat(view: DataView, at: number, size: number): Format {
  const tag = view.getUint16(at, true);
  return {
    // The real tag of the extensible form is the head of its GUID.
    tag: tag === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : tag,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function readData(view: DataView, format: Format, at: number, bytes: number): Wav | BadWav {
  const { rate, channels, tag, bits } = format;
  if (!RATES.includes(rate)) {
    return { malformed: `it has ${rate} samples per second; these can be played: ${RATES.join(', ')}` };
  }
  if (channels < 1 || channels > MAX_CHANNELS) {
    return { malformed: `it has ${channels} channels; 1 to ${MAX_CHANNELS} can be played` };
  }
  const sample = sampleReader(view, tag, bits);
  if (sample === undefined) {
    return { malformed: `its encoding (format ${tag}, ${bits} bits) is none of PCM, float, A-law, µ-law` };
  }
  const sampleBytes = bits / 8;
  const step = sampleBytes * channels;
  const length = Math.floor(bytes / step);
  if (length === 0) return { malformed: 'it holds no sound' };
  return {
    rate,
    length,
    channels,
    encoding: sample.encoding,
    read(from, count, into) {
      for (let index = 0; index < count; index++) {
        const instant = at + (from + index) * step;
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) sum += sample.at(instant + channel * sampleBytes);
        into[index] = Math.round(sum / channels);
      }
    },
  };
}

interface SampleReader {
  encoding: string;
  /** The sample at this byte, scaled to 16 bits. */
  at(byte: number): number;
}

function sampleReader(view: DataView, tag: number, bits: number): SampleReader | undefined {
  const companded = (law: 'PCMA' | 'PCMU') => {
    const table = expansion(law);
    return (byte: number) => table[view.getUint8(byte)]!;
  };
  // NaN and infinities are sounds of a broken tool: silence and full scale.
  const float = (value: number) => Math.max(-32_768, Math.min(32_767, value * 32_768)) || 0;
  switch (`${tag}/${bits}`) {
    // Eight bits are unsigned, as ever in WAV.
    case `${PCM}/8`:
      return { encoding: '8-bit PCM', at: byte => (view.getUint8(byte) - 128) * 256 };
    case `${PCM}/16`:
      return { encoding: '16-bit PCM', at: byte => view.getInt16(byte, true) };
    case `${PCM}/24`:
      return {
        encoding: '24-bit PCM',
        at: byte => Math.min(32_767, view.getInt16(byte + 1, true) + view.getUint8(byte) / 256),
      };
    case `${PCM}/32`:
      return { encoding: '32-bit PCM', at: byte => Math.min(32_767, view.getInt32(byte, true) / 65_536) };
    case `${IEEE_FLOAT}/32`:
      return { encoding: '32-bit float', at: byte => float(view.getFloat32(byte, true)) };
    case `${IEEE_FLOAT}/64`:
      return { encoding: '64-bit float', at: byte => float(view.getFloat64(byte, true)) };
    case `${ALAW}/8`:
      return { encoding: 'A-law', at: companded('PCMA') };
    case `${MULAW}/8`:
      return { encoding: 'µ-law', at: companded('PCMU') };
    default:
      return undefined;
  }
}

/** The 44 bytes before `dataBytes` of mono 16-bit PCM. */
export function wavHeader(rate: number, dataBytes: number, into = new Uint8Array(WAV_HEADER_BYTES)): Uint8Array {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const write = (at: number, text: string) => {
    for (let index = 0; index < text.length; index++) into[at + index] = text.charCodeAt(index);
  };
  write(0, 'RIFF');
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, 'data');
  view.setUint32(40, dataBytes, true);
  return into;
}
