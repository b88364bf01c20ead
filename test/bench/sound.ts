/** What sound costs: codecs, resampler, jitter buffer and RTP packets, each alone in a loop. */
import type { Decoder, Encoder } from '../../firmware/audio/codecs/codec.ts';
import { g711Decoder, g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import type { Opus } from '../../firmware/audio/codecs/opus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { MAX_PACKET_MS } from '../../firmware/audio/frame.ts';
import { resampler } from '../../firmware/audio/resample.ts';
import { JitterBuffer } from '../../firmware/rtp/jitter-buffer.ts';
import { emptyPacket, parseRtp, writeRtp } from '../../firmware/rtp/packet.ts';
import type { Benchmark } from './benchmark.ts';
import { RATE } from './chirps.ts';
import type { Sheet } from './sheet.ts';
import { speech } from './speech.ts';
import { speed } from './speed.ts';

const PACKET_MS = 20;
/** As `media.opus` has them by default. */
const OPUS = { bitrate: 24_000, complexity: 5, fec: true, expectedLoss: 10 };
const G711_PAYLOAD_BYTES = 160;

export const sound: Benchmark = {
  name: 'sound',
  title: 'codecs, resampler, jitter buffer, RTP packets per second',
  how:
    'Speech in packets of 20 ms through each part alone, in a loop on one thread, in 7 parts of the time. A call needs ' +
    '50 a second each way. Opus at the sound card’s 16 kHz, 24 kbit/s, complexity 5, in-band FEC, as configured by default.',
  async run(sheet, _bench, { seconds }) {
    const packets = speechPackets();
    for (const law of ['PCMU', 'PCMA'] as const) {
      const half = packets.map(packet => packet.filter((_, index) => index % 2 === 0));
      await codec(sheet, law, { encoder: g711Encoder(law), decoder: g711Decoder(law), packets: half, seconds });
    }
    for (const [name, opus] of [
      ['libopus', loadLibopus(RATE)],
      ['libopus-wasm', await loadOpusWasm(RATE)],
    ] as const satisfies [string, Opus | undefined][]) {
      if (opus === undefined) sheet.unavailable(`Opus by ${name}`, 'the library is not on this machine');
      else {
        const parts = { encoder: opus.encoder(OPUS), decoder: opus.decoder(), packets, seconds };
        await codec(sheet, `Opus by ${name}`, parts);
      }
    }
    await resampling(sheet, packets, seconds);
    await jitterBuffer(sheet, seconds);
    await rtpPackets(sheet, seconds);
  },
};

function speechPackets(): Int16Array[] {
  const samples = speech();
  const size = (RATE * PACKET_MS) / 1000;
  return Array.from({ length: Math.floor(samples.length / size) }, (_, index) =>
    samples.slice(index * size, (index + 1) * size),
  );
}

interface CodecParts {
  encoder: Encoder;
  decoder: Decoder;
  packets: readonly Int16Array[];
  seconds: number;
}

async function codec(sheet: Sheet, name: string, { encoder, decoder, packets, seconds }: CodecParts): Promise<void> {
  const payload = new Uint8Array(1440);
  const payloads = packets.map(packet => payload.slice(0, encoder.encode(packet, payload)));
  const into = new Int16Array((decoder.rate * MAX_PACKET_MS) / 1000);
  let next = 0;
  const encode = () => encoder.encode(packets[next++ % packets.length]!, payload);
  const decode = () => decoder.decode(payloads[next++ % payloads.length]!, into) + into[7]!;
  sheet.add(`${name} encode`, 'packets/s', await speed(encode, seconds));
  sheet.add(`${name} decode`, 'packets/s', await speed(decode, seconds));
  encoder.close();
  decoder.close();
}

async function resampling(sheet: Sheet, packets: readonly Int16Array[], seconds: number) {
  for (const [from, to] of [
    [16_000, 8_000],
    [8_000, 16_000],
    [16_000, 48_000],
    [48_000, 16_000],
    [48_000, 8_000],
  ] as const) {
    const input = new Int16Array((from * PACKET_MS) / 1000);
    input.set(packets[20]!.subarray(0, input.length));
    const output = new Int16Array((to * PACKET_MS) / 1000 + 1);
    const converter = resampler(from, to, input.length);
    const convert = () => converter.process(input, input.length, output) + output[3]!;
    sheet.add(`resample ${from / 1000} to ${to / 1000} kHz`, 'packets/s', await speed(convert, seconds));
  }
}

/** A steady stream: a packet pushed and a packet pulled, 20 ms on. */
async function jitterBuffer(sheet: Sheet, seconds: number) {
  const buffer = new JitterBuffer({ clockRate: 8_000, minMs: 20, maxMs: 400 });
  const packet = { ...emptyPacket(), ssrc: 7, payload: new Uint8Array(G711_PAYLOAD_BYTES) };
  let nowMs = 0;
  const pass = () => {
    nowMs += PACKET_MS;
    packet.sequence = (packet.sequence + 1) & 0xffff;
    packet.timestamp = (packet.timestamp + G711_PAYLOAD_BYTES) >>> 0;
    buffer.push(packet, nowMs);
    return buffer.pull(nowMs).is === 'packet' ? 1 : 0;
  };
  sheet.add('jitter buffer, push and pull', 'packets/s', await speed(pass, seconds));
  if (buffer.counters.played < 1_000) throw new Error('the jitter buffer played nothing');
}

async function rtpPackets(sheet: Sheet, seconds: number) {
  const payload = new Uint8Array(G711_PAYLOAD_BYTES).fill(0xd5);
  const wire = new Uint8Array(1500);
  const header = { payloadType: 8, marker: false, sequence: 0, timestamp: 0, ssrc: 1234 };
  const write = () => {
    header.sequence = (header.sequence + 1) & 0xffff;
    header.timestamp = (header.timestamp + G711_PAYLOAD_BYTES) >>> 0;
    return writeRtp(wire, header, payload);
  };
  const datagram = wire.slice(0, write());
  const into = emptyPacket();
  const read = () => parseRtp(datagram, into)!.payload.length;
  sheet.add('RTP packet written', 'packets/s', await speed(write, seconds));
  sheet.add('RTP packet read', 'packets/s', await speed(read, seconds));
}
