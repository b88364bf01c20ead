/** WAV files of 16-bit PCM: what the simulated sound card hears from and plays into. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { HalError } from '../contracts.ts';

/** An hour and a half at 16 kHz: more would not fit beside the firmware in a board's memory. */
export const MAX_WAV_READ_BYTES = 172_800_000;
/** The size fields have 32 bits; the writer stops in good time. */
const MAX_WAV_WRITE_BYTES = 2 ** 31;
const HEADER_BYTES = 44;
const PCM = 1;
const EXTENSIBLE = 0xfffe;

export interface Wav {
  rate: number;
  /** Mono: channels of the file are averaged. */
  samples: Int16Array;
}

/** Reads a whole file. Throws HalError: `missing` when it cannot be read, `unsupported` when it is not 16-bit PCM. */
export function readWav(path: string): Wav {
  return parseWav(load(path), path);
}

/** Parses the bytes of a file; `path` is for the error's sentence. A data chunk cut short gives what is there. */
export function parseWav(bytes: Buffer, path: string): Wav {
  const bad = (why: string) => new HalError('unsupported', `${path}: ${why}`);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw bad('this is no WAV file');
  }
  let format: { rate: number; channels: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (id === 'fmt ') {
      if (body.length < 16) throw bad('its fmt chunk is too short');
      const encoding =
        body.readUInt16LE(0) === EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : body.readUInt16LE(0);
      const bits = body.readUInt16LE(14);
      if (encoding !== PCM || bits !== 16)
        throw bad(`it must be 16-bit PCM, and is encoding ${encoding} of ${bits} bits`);
      format = { channels: body.readUInt16LE(2), rate: body.readUInt32LE(4) };
      if (format.channels < 1 || format.channels > 8) throw bad(`it has ${format.channels} channels`);
    }
    if (id === 'data') {
      if (format === undefined) throw bad('its data come before their format');
      return { rate: format.rate, samples: toMono(body, format.channels) };
    }
    // Chunks are padded to an even size.
    at += 8 + size + (size & 1);
  }
  throw bad('it holds no sound');
}

function load(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > MAX_WAV_READ_BYTES) throw new HalError('unsupported', `${path}: ${size} bytes are too many`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof HalError) throw error;
    throw new HalError('missing', `${path} cannot be read`, { cause: error });
  }
}

function toMono(body: Buffer, channels: number): Int16Array {
  const samples = new Int16Array(Math.floor(body.length / (2 * channels)));
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += body.readInt16LE((i * channels + channel) * 2);
    samples[i] = Math.round(sum / channels);
  }
  return samples;
}

/** Appends mono frames to a file whose header is right after every one of them, so that a killed process leaves sound. */
export class WavWriter {
  readonly #file: number;
  readonly #sizes = Buffer.alloc(4);
  #dataBytes = 0;
  #full = false;

  /** Creates or empties the file. Throws HalError when it cannot. */
  constructor(path: string, rate: number) {
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw new HalError('missing', `${path} cannot be written`, { cause: error });
    }
    writeSync(this.#file, wavHeader(rate, 0), 0, HEADER_BYTES, 0);
  }

  /** Throws what the file system says, for instance that the disk is full. */
  write(frame: Int16Array) {
    if (this.#full || this.#dataBytes + frame.byteLength > MAX_WAV_WRITE_BYTES) {
      this.#full = true;
      return;
    }
    writeSync(this.#file, frame, 0, frame.byteLength, HEADER_BYTES + this.#dataBytes);
    this.#dataBytes += frame.byteLength;
    this.#size(4, HEADER_BYTES - 8 + this.#dataBytes);
    this.#size(40, this.#dataBytes);
  }

  close() {
    closeSync(this.#file);
  }

  #size(at: number, bytes: number) {
    this.#sizes.writeUInt32LE(bytes);
    writeSync(this.#file, this.#sizes, 0, 4, at);
  }
}

/** The 44 bytes before `dataBytes` of mono 16-bit PCM. */
export function wavHeader(rate: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
