/** How many streams one core can receive and mix in the time that they take to be heard. */
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { Mixer } from '../../firmware/audio/mixer.ts';
import { clockRateOf, makeCodecs } from '../../firmware/media/codecs.ts';
import type { CodecName } from '../../firmware/media/protocol.ts';
import { Receiving } from '../../firmware/media/receiving.ts';
import { emptyPacket } from '../../firmware/rtp/packet.ts';
import type { Benchmark } from './benchmark.ts';
import { speech } from './speech.ts';
import { speed } from './speed.ts';

const PACKET_MS = 20;
const FRAME_MS = 10;
const RATE = 16_000;
/** At once, in the measurement; as many packets are taken ahead. */
const STREAMS = 32;
const OPUS = { bitrate: 24_000, complexity: 5, expectedLoss: 10 };

export const audioStreams: Benchmark = {
  name: 'audio-streams',
  title: 'streams received and mixed in real time on one core',
  how:
    `${STREAMS} streams of speech, packets of ${PACKET_MS} ms, each through jitter buffer, decoder and resampler to ` +
    `${RATE / 1000} kHz into one mixer, frame by frame in a loop on one thread on virtual time, by processor time; so many as would take the ` +
    'whole time of a core. Without sockets and SRTP, whose cost is told by audio-cost and audio-calls.',
  async run(sheet, _bench, { seconds }) {
    const opus = loadLibopus(RATE) ?? (await loadOpusWasm(RATE));
    const codecs = makeCodecs(opus, OPUS);
    for (const name of ['PCMA', 'G722', 'opus'] as const satisfies CodecName[]) {
      if (name === 'opus' && opus === undefined) {
        sheet.unavailable('opus', 'no Opus library is on this machine');
        continue;
      }
      const choice = { name, payloadType: 96, ptimeMs: PACKET_MS, fec: true };
      const encoder = codecs.encoder(choice);
      const size = (encoder.rate * PACKET_MS) / 1000;
      const spoken = encoder.rate === RATE ? speech() : speech().filter((_, index) => index % 2 === 0);
      const into = new Uint8Array(1_440);
      const payloads = Array.from({ length: Math.floor(spoken.length / size) }, (_, at) =>
        into.slice(0, encoder.encode(spoken.slice(at * size, (at + 1) * size), into)),
      );
      const jitter = { minMs: 20, maxMs: 400 };
      const streams = Array.from(
        { length: STREAMS },
        () => new Receiving({ choices: [choice], codecs, rate: RATE, jitter }),
      );
      const packet = { ...emptyPacket(), payloadType: 96, ssrc: 1 };
      const frame = new Int16Array((RATE * FRAME_MS) / 1000);
      const mixer = new Mixer(frame.length);
      let tick = 0;
      const work = () => {
        const nowMs = tick * FRAME_MS;
        const at = nowMs / PACKET_MS;
        mixer.clear();
        for (const [index, stream] of streams.entries()) {
          if (Number.isInteger(at)) {
            packet.sequence = at & 0xffff;
            packet.timestamp = (at * PACKET_MS * (clockRateOf(name) / 1000)) >>> 0;
            packet.payload = payloads[(at + index * 7) % payloads.length]!;
            stream.push(packet, nowMs);
          }
          if (stream.read(frame, nowMs)) mixer.add(frame);
        }
        tick++;
        return mixer.sum[5]!;
      };
      const frames = await speed(work, seconds);
      const inOneSecond = 1000 / FRAME_MS;
      sheet.add(
        name,
        'streams',
        frames.map(each => (each * STREAMS) / inOneSecond),
      );
      for (const stream of streams) stream.close();
      encoder.close();
    }
  },
};
