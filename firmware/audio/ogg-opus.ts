/** Opus in Ogg (RFC 7845), such as `.opus` files: read from front to end, a packet decoded when its turn has come. */
import { BAD_PAYLOAD, type Decoder } from './codecs/codec.ts';
import { OPUS_CLOCK_RATE, type Opus } from './codecs/opus.ts';
import { MAX_PACKET_MS, saturate } from './frame.ts';
import { readOgg } from './ogg.ts';
import { type BadWav, MAX_WAV_BYTES, parseWav, type Wav } from './wav.ts';

const latin = (bytes: Uint8Array, count: number) => String.fromCharCode(...bytes.subarray(0, count));

/** A file of either kind, told by how it begins. */
export function parseSound(bytes: Uint8Array, opus: Opus | undefined): Wav | BadWav {
  return latin(bytes, 4) === 'OggS' ? parseOggOpus(bytes, opus) : parseWav(bytes);
}

/** It plays once; `close` gives its decoder back. Stereo becomes mono. */
export function parseOggOpus(bytes: Uint8Array, opus: Opus | undefined): Wav | BadWav {
  if (bytes.length > MAX_WAV_BYTES) {
    return { malformed: `the file has ${bytes.length} bytes, the limit is ${MAX_WAV_BYTES}` };
  }
  const ogg = readOgg(bytes);
  if ('malformed' in ogg) return ogg;
  const head = readHead(ogg.packets[0]!);
  if ('malformed' in head) return head;
  if (ogg.packets[1] === undefined || latin(ogg.packets[1], 8) !== 'OpusTags') {
    return { malformed: 'its second packet is no OpusTags' };
  }
  const packets = ogg.packets.slice(2);
  let ticks = -head.preSkip;
  for (const packet of packets) ticks += durationMs(packet) * (OPUS_CLOCK_RATE / 1000);
  // The last page may end within a packet (RFC 7845 §4.4).
  if (ogg.endsAt >= 0n) ticks = Math.min(ticks, Number(ogg.endsAt) - head.preSkip);
  if (ticks <= 0) return { malformed: 'it holds no sound' };
  if (opus === undefined) return { malformed: 'this device has no Opus library' };
  let decoder: Decoder;
  try {
    decoder = opus.decoder();
  } catch (error) {
    return { malformed: `it cannot be played now: ${error instanceof Error ? error.message : error}` };
  }
  return new OggOpus(packets, decoder, ticks, head);
}

interface Head {
  /** Ticks of 48 kHz that are not heard (RFC 7845 §4.2). */
  preSkip: number;
  gain: number;
}

/** RFC 7845 §5.1. */
function readHead(packet: Uint8Array): Head | BadWav {
  if (packet.length < 19 || latin(packet, 8) !== 'OpusHead') return { malformed: 'it is Ogg, but not Opus' };
  if (packet[8]! > 15) return { malformed: `its Opus version is ${packet[8]}, which is not known` };
  if (packet[18] !== 0) return { malformed: 'it has more than two channels; one and two can be played' };
  if (packet[9] !== 1 && packet[9] !== 2)
    return { malformed: `it has ${packet[9]} channels; one and two can be played` };
  const view = new DataView(packet.buffer, packet.byteOffset);
  // Q7.8 decibels.
  return { preSkip: view.getUint16(10, true), gain: 10 ** (view.getInt16(16, true) / 256 / 20) };
}

/** Of one packet, by its first bytes (RFC 6716 §3.1); 0 for one that cannot be. */
export function durationMs(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const configuration = packet[0]! >> 3;
  const code = packet[0]! & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
  const step = configuration & 3;
  const frameMs =
    configuration < 12 ? [10, 20, 40, 60][step]! : configuration < 16 ? 10 << (step & 1) : 2.5 * 2 ** step;
  return frames * frameMs <= MAX_PACKET_MS ? frames * frameMs : 0;
}

class OggOpus implements Wav {
  readonly rate: number;
  readonly length: number;
  readonly channels = 1;
  readonly encoding = 'Opus';
  readonly #packets: readonly Uint8Array[];
  readonly #decoder: Decoder;
  readonly #gain: number;
  readonly #decoded: Int16Array;
  #next = 0;
  #from = 0;
  #to = 0;
  #skip: number;
  #isClosed = false;

  constructor(packets: readonly Uint8Array[], decoder: Decoder, ticks: number, { preSkip, gain }: Head) {
    this.#packets = packets;
    this.#decoder = decoder;
    this.rate = decoder.rate;
    this.length = Math.floor((ticks * decoder.rate) / OPUS_CLOCK_RATE);
    this.#gain = gain;
    this.#skip = Math.round((preSkip * decoder.rate) / OPUS_CLOCK_RATE);
    this.#decoded = new Int16Array((decoder.rate * MAX_PACKET_MS) / 1000);
  }

  /** Goes on where it was: `from` is what follows. */
  read(_from: number, count: number, into: Int16Array) {
    for (let index = 0; index < count; index++) {
      while (this.#from === this.#to && this.#decode());
      into[index] = this.#from < this.#to ? saturate(this.#decoded[this.#from++]! * this.#gain) : 0;
    }
  }

  /** False at the end. */
  #decode(): boolean {
    const packet = this.#packets[this.#next++];
    if (packet === undefined || this.#isClosed) return false;
    let count = this.#decoder.decode(packet, this.#decoded);
    if (count === BAD_PAYLOAD) {
      // What is damaged is bridged for as long as it says that it lasts.
      count = Math.round((durationMs(packet) * this.rate) / 1000);
      if (count > 0) count = this.#decoder.conceal(this.#decoded, count);
    }
    this.#from = Math.min(count, this.#skip);
    this.#skip -= this.#from;
    this.#to = count;
    return true;
  }

  close() {
    if (!this.#isClosed) this.#decoder.close();
    this.#isClosed = true;
  }
}
