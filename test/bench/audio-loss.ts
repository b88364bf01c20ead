/** Speech after a network that loses packets: how far it is from the same speech without loss, beside other concealment. */
import type { Encoder } from '../../firmware/audio/codecs/codec.ts';
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { type Codecs, clockRateOf, makeCodecs } from '../../firmware/media/codecs.ts';
import type { CodecName } from '../../firmware/media/protocol.ts';
import { Receiving } from '../../firmware/media/receiving.ts';
import { emptyPacket } from '../../firmware/rtp/packet.ts';
import { losing } from '../sim/jitter-models.ts';
import { seeded } from '../sim/seeded.ts';
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import { type Concealment, plainRepeat, spandsp } from './concealments.ts';
import { type Distance, distance, type Part } from './distances.ts';
import { keep } from './keep.ts';
import type { Peer, Sheet } from './sheet.ts';
import { type Voice, voices } from './voices.ts';

const PACKET_MS = 20;
const FRAME_MS = 10;
/** As `media.opus` has them by default. */
const OPUS = { bitrate: 24_000, complexity: 5, expectedLoss: 10 };
/** Steady, so that every way of hiding is compared at the same moments. Milliseconds. */
const BUFFER_MS = 40;
/** After a loss the decoder is still wrong for a while: this counts too. Milliseconds. */
const AFTER_MS = 20;
/** Networks that each voice meets. */
const SEEDS = 4;
const LOSSES = [5, 10, 20] as const;
/** Packets lost in a row, on average. */
const RUNS = [
  ['random', 1],
  ['in bursts', 3],
] as const;

type Packets = readonly Uint8Array[];
/** For each packet, whether the network loses it. */
type Losses = readonly boolean[];

interface Lane {
  name: string;
  hear(packets: Packets, lost: Losses): Int16Array;
}

export const audioLoss: Benchmark = {
  name: 'audio-loss',
  title: 'speech under loss, beside libspandsp and libopus',
  how:
    `Five voices of espeak-ng, packets of ${PACKET_MS} ms; the same packets are lost for everybody (Gilbert’s model; bursts ` +
    'of 3 on average). Ours: jitter buffer, decoder, concealment and, for Opus, in-band FEC, as a call has them. Compared ' +
    `with the same codec without loss, only where somebody speaks: each run of lost packets with ${AFTER_MS} ms after it. ` +
    `SNR: the mean of these parts, each −10 to 35 dB. Distance: log spectral, windows of 32 ms. A value is one voice on ${SEEDS} such networks. ` +
    'libspandsp’s plc is made for 8 kHz. libopus: its own concealment of the same packets, no FEC.',
  async run(sheet, _bench, options) {
    const opus = loadLibopus(16_000) ?? (await loadOpusWasm(16_000));
    const codecs = makeCodecs(opus, OPUS);
    const spoken = { 8000: voices(8_000), 16000: voices(16_000) };
    const names: CodecName[] = ['PCMA', 'G722', ...(opus === undefined ? [] : (['opus'] as const))];
    for (const name of names)
      await ofCodec(sheet, options, { name, codecs, spoken: spoken[name === 'PCMA' ? 8_000 : 16_000] });
    if (opus === undefined) sheet.unavailable('opus', 'no Opus library is on this machine');
  },
};

interface OfCodec {
  name: CodecName;
  codecs: Codecs;
  spoken: readonly Voice[];
}

async function ofCodec(sheet: Sheet, { keep: folder }: BenchmarkOptions, { name, codecs, spoken }: OfCodec) {
  const rate = codecs.decoder(name).rate;
  const ours: Lane = { name: 'ours', hear: (packets, lost) => receive(name, codecs, rate, packets, lost) };
  const lanes = [ours, ...others(name, codecs, rate)];
  const choice = { name, payloadType: 96, ptimeMs: PACKET_MS, fec: true };
  const spokenPackets = spoken.map(({ samples }) => encode(codecs.encoder(choice), samples, rate));
  for (const [run, meanRun] of RUNS) {
    for (const percent of LOSSES) {
      const found = lanes.map((): Distance[] => []);
      for (const [index, packets] of spokenPackets.entries()) {
        const clean = lanes.map(({ hear }) => hear(packets, []));
        const each = lanes.map((): Distance[] => []);
        for (let seed = 1; seed <= SEEDS; seed++) {
          // Whoever interrupts is heard in between.
          await new Promise(resolve => setImmediate(resolve));
          const way = losing(seeded(seed * 10 + index), () => 0, percent / 100, meanRun);
          const lost = packets.map((_, at) => way(at * PACKET_MS) === undefined && at > 4);
          for (const [lane, { name: who, hear }] of lanes.entries()) {
            const heard = hear(packets, lost);
            each[lane]!.push(distance(clean[lane]!, heard, rate, losses(lost)));
            const title = `${name} ${percent} % ${run} ${who} ${spoken[index]!.name}`;
            if (index === 0 && seed === 1) keep(folder, title, rate, heard);
          }
        }
        for (const [lane, distances] of each.entries()) found[lane]!.push(average(distances));
      }
      const peers = (of: (found: Distance) => number): Peer[] =>
        lanes.slice(1).map((lane, at) => ({ name: lane.name, values: found[at + 1]!.map(of) }));
      const title = `${name}, ${percent} % ${run}`;
      const snr = (one: Distance) => one.segmentalSnr;
      const spectral = (one: Distance) => one.spectral;
      sheet.add(`${title}: SNR`, 'dB', found[0]!.map(snr), { peers: peers(snr) });
      sheet.add(`${title}: distance`, 'dB', found[0]!.map(spectral), { peers: peers(spectral) });
    }
  }
}

const average = (of: readonly Distance[]): Distance => ({
  segmentalSnr: of.reduce((sum, { segmentalSnr }) => sum + segmentalSnr, 0) / of.length,
  spectral: of.reduce((sum, { spectral }) => sum + spectral, 0) / of.length,
});

function encode(encoder: Encoder, samples: Int16Array, rate: number): Packets {
  const size = (rate * PACKET_MS) / 1000;
  const payload = new Uint8Array(1_440);
  const count = Math.floor(samples.length / size);
  const packets = Array.from({ length: count }, (_, at) =>
    payload.slice(0, encoder.encode(samples.slice(at * size, (at + 1) * size), payload)),
  );
  encoder.close();
  return packets;
}

/** Each run of lost packets and what comes after it. Packet `n` is heard from `n` times its length on, in every lane. */
function losses(lost: Losses): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < lost.length; at++) {
    if (!lost[at]) continue;
    const first = at;
    while (lost[at + 1]) at++;
    parts.push([first * PACKET_MS, (at + 1) * PACKET_MS + AFTER_MS]);
  }
  return parts;
}

/** As a call hears it: each packet arrives on time, and frames of 10 ms are asked for. */
function receive(name: CodecName, codecs: Codecs, rate: number, packets: Packets, lost: Losses): Int16Array {
  const receiving = new Receiving({
    choices: [{ name, payloadType: 96, ptimeMs: PACKET_MS }],
    codecs,
    rate,
    jitter: { minMs: BUFFER_MS, maxMs: 400 },
  });
  const frame = new Int16Array((rate * FRAME_MS) / 1000);
  const heard = new Int16Array(packets.length * 2 * frame.length);
  const packet = { ...emptyPacket(), payloadType: 96, ssrc: 1 };
  for (let tick = 0; tick * FRAME_MS < packets.length * PACKET_MS + BUFFER_MS; tick++) {
    const nowMs = tick * FRAME_MS;
    const at = nowMs / PACKET_MS;
    if (Number.isInteger(at) && at < packets.length && !lost[at]) {
      packet.sequence = at;
      packet.timestamp = at * PACKET_MS * (clockRateOf(name) / 1000);
      packet.payload = packets[at]!;
      receiving.push(packet, nowMs);
    }
    receiving.read(frame, nowMs);
    if (nowMs >= BUFFER_MS) heard.set(frame, (tick - BUFFER_MS / FRAME_MS) * frame.length);
  }
  receiving.close();
  return heard;
}

/** The same decoder, another concealment. */
function others(name: CodecName, codecs: Codecs, rate: number): Lane[] {
  const after = (make: () => Concealment) => (packets: Packets, lost: Losses) => {
    const decoder = codecs.decoder(name);
    const hiding = make();
    const heard = inTurn(rate, packets, lost, (payload, into) => {
      const part = into.subarray(0, (rate * PACKET_MS) / 1000);
      if (payload === undefined) return hiding.missing(part);
      decoder.decode(payload, into);
      hiding.good(part);
    });
    decoder.close();
    return heard;
  };
  const lanes: Lane[] = [{ name: 'plain repeat', hear: after(plainRepeat) }];
  const theirs = spandsp();
  if (name === 'PCMA' && theirs !== undefined) lanes.unshift({ name: 'libspandsp', hear: after(theirs) });
  if (name === 'opus')
    lanes.unshift({ name: 'libopus, no FEC', hear: (packets, lost) => libopus(codecs, rate, packets, lost) });
  return lanes;
}

function libopus(codecs: Codecs, rate: number, packets: Packets, lost: Losses): Int16Array {
  const decoder = codecs.decoder('opus');
  const heard = inTurn(rate, packets, lost, (payload, into) => {
    if (payload === undefined) decoder.conceal(into, (rate * PACKET_MS) / 1000);
    else decoder.decode(payload, into);
  });
  decoder.close();
  return heard;
}

function inTurn(
  rate: number,
  packets: Packets,
  lost: Losses,
  hear: (payload: Uint8Array | undefined, into: Int16Array) => void,
): Int16Array {
  const size = (rate * PACKET_MS) / 1000;
  const heard = new Int16Array(packets.length * size);
  const into = new Int16Array(size * 6);
  for (const [at, payload] of packets.entries()) {
    hear(lost[at] ? undefined : payload, into);
    heard.set(into.subarray(0, size), at * size);
  }
  return heard;
}
