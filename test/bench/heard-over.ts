/** Speech as a call hears it over a network made of numbers: to be listened to, and looked at. */
import { FRAME_MS, frameSamples } from '../../firmware/audio/frame.ts';
import { type Codecs, clockRateOf, makeCodecs } from '../../firmware/media/codecs.ts';
import { Receiving } from '../../firmware/media/receiving.ts';
import { emptyPacket } from '../../firmware/rtp/packet.ts';
import type { Path } from '../sim/jitter-models.ts';
import { RATE } from './chirps.ts';
import { speech } from './speech.ts';

const PACKET_MS = 20;
/** As `media.jitter` has it by default. */
const JITTER = { minMs: 20, maxMs: 400 };
const CHOICE = { name: 'G722', payloadType: 9, ptimeMs: PACKET_MS } as const;
const MAX_PACKET_BYTES = 1_500;

/** At `RATE`, from the first packet's sending on. Always the same for the same path. */
export function heardOver(path: Path, seconds: number): Int16Array {
  const codecs = makeCodecs(undefined, { bitrate: 24_000, complexity: 5, expectedLoss: 10 });
  const arrivals = packetsOver(codecs, path, seconds);
  const receiving = new Receiving({ choices: [CHOICE], codecs, rate: RATE, jitter: JITTER });
  const frame = new Int16Array(frameSamples(RATE));
  const heard = new Int16Array(seconds * RATE);
  const packet = { ...emptyPacket(), payloadType: CHOICE.payloadType, ssrc: 1 };
  const ticksPerMs = clockRateOf(CHOICE.name) / 1000;
  let next = 0;
  for (let at = 0; at < heard.length; at += frame.length) {
    const nowMs = (at / frame.length) * FRAME_MS;
    for (; next < arrivals.length && arrivals[next]!.atMs <= nowMs; next++) {
      const { atMs, sentMs, payload } = arrivals[next]!;
      packet.sequence = sentMs / PACKET_MS;
      packet.timestamp = sentMs * ticksPerMs;
      packet.payload = payload;
      receiving.push(packet, atMs);
    }
    receiving.read(frame, nowMs);
    heard.set(frame, at);
  }
  receiving.close();
  return heard;
}

function packetsOver(codecs: Codecs, path: Path, seconds: number) {
  const encoder = codecs.encoder(CHOICE);
  const spoken = speech();
  const samples = new Int16Array((RATE * PACKET_MS) / 1000);
  const into = new Uint8Array(MAX_PACKET_BYTES);
  const arrivals: { atMs: number; sentMs: number; payload: Uint8Array }[] = [];
  for (let sentMs = 0; sentMs < seconds * 1000; sentMs += PACKET_MS) {
    const from = (sentMs / PACKET_MS) * samples.length;
    for (let at = 0; at < samples.length; at++) samples[at] = spoken[(from + at) % spoken.length]!;
    const payload = into.slice(0, encoder.encode(samples, into));
    const way = path(sentMs);
    if (way !== undefined) arrivals.push({ atMs: sentMs + way, sentMs, payload });
  }
  encoder.close();
  return arrivals.sort((one, other) => one.atMs - other.atMs);
}
