/** A sender, a network and a listener around one jitter buffer, on virtual time: says what the listener heard. */

import { JitterBuffer, type JitterCounters } from '../../firmware/rtp/jitter-buffer.ts';
import { emptyPacket, type RtpPacket } from '../../firmware/rtp/packet.ts';
import type { Path } from './jitter-models.ts';

export interface Listening {
  path: Path;
  seconds: number;
  minMs?: number;
  maxMs?: number;
  packetMs?: number;
  clockRate?: number;
  /** The sender's clock against ours, parts per million: positive is a fast sender. */
  driftPpm?: number;
  /** In these parts of each second the sound is quiet enough to make a packet shorter. 0: never, 1: always. */
  quiet?: number;
  /** By how much, at most; absent: a packet that is wholly to spare is left out. */
  cutMs?: number;
  /** How much longer one is made of which more are overdue, where a voice allows it: in 7 of 10. Absent: never. */
  lengthenMs?: number;
  /** How long is invented where there is nothing to play, until it is asked again. Absent: a packet time. */
  inventedMs?: number;
  firstSequence?: number;
  firstTimestamp?: number;
  /** Milliseconds between the sender's first packet and the first pull of the same phase. */
  phaseMs?: number;
  /** How much later than its moment a pull comes, as on a thread that is held up. */
  pullLateMs?: () => number;
  /** The timestamp jumps (silence suppression): the sender says nothing while this is true. */
  silentAt?: (sentMs: number) => boolean;
}

export interface Heard {
  counters: JitterCounters;
  /** From the sender's microphone to the listener's ear, less the quickest way: mean, 95th and 100th part, milliseconds. */
  delayMs: { mean: number; p95: number; most: number };
  /** The delay of each packet played, in order. */
  delays: number[];
  /** Sequence numbers played, unwrapped by the order of sending. */
  played: number[];
  /** Pulls that gave no sound of their own, after the first packet. */
  gaps: number;
  /** The time for which they had to invent, and what was lost on the way in it. */
  gapMs: number;
  shrunk: number;
  lengthened: number;
  pulls: number;
}

interface Arrival {
  atMs: number;
  index: number;
  sentMs: number;
}

export function listen(how: Listening): Heard {
  const { packetMs = 20, clockRate = 8000, driftPpm = 0, quiet = 0.4, phaseMs = 7 } = how;
  const buffer = new JitterBuffer({ clockRate, minMs: how.minMs ?? 20, maxMs: how.maxMs ?? 200 });
  const arrivals = send(how, packetMs / (1 + driftPpm / 1e6));
  const least = Math.min(...arrivals.map(({ atMs, sentMs }) => atMs - sentMs));
  const packet: RtpPacket = { ...emptyPacket(), ssrc: 1, payload: new Uint8Array(4) };
  const ticks = (packetMs * clockRate) / 1000;

  const heard: Heard = {
    counters: buffer.counters,
    delayMs: { mean: 0, p95: 0, most: 0 },
    delays: [],
    played: [],
    gaps: 0,
    gapMs: 0,
    shrunk: 0,
    lengthened: 0,
    pulls: 0,
  };
  const sentAt = new Map<number, number>();
  let next = 0;
  let stepMs = packetMs;
  for (let dueMs = phaseMs; dueMs < how.seconds * 1000; dueMs += stepMs) {
    const nowMs = dueMs + (how.pullLateMs?.() ?? 0);
    for (; next < arrivals.length && arrivals[next]!.atMs <= nowMs; next++) {
      const { atMs, index, sentMs } = arrivals[next]!;
      packet.sequence = ((how.firstSequence ?? 0) + index) & 0xffff;
      const spoken = Math.round((sentMs * (1 + driftPpm / 1e6)) / packetMs);
      packet.timestamp = ((how.firstTimestamp ?? 0) + spoken * ticks) >>> 0;
      new DataView(packet.payload.buffer).setUint32(0, index);
      sentAt.set(index, sentMs);
      buffer.push(packet, atMs);
    }
    heard.pulls++;
    stepMs = packetMs;
    for (let leftOut = 0; ; leftOut++) {
      const pull = buffer.pull(nowMs);
      if (pull.is !== 'packet') {
        if (pull.is === 'wait') stepMs = how.inventedMs ?? packetMs;
        if (heard.played.length > 0) {
          heard.gaps++;
          heard.gapMs += stepMs;
        }
        break;
      }
      if (pull.spareMs < 0 && how.lengthenMs !== undefined && heard.pulls % 10 < 7) {
        heard.lengthened++;
        stepMs += how.lengthenMs;
      }
      const isQuiet = dueMs % 1000 < quiet * 1000;
      if (isQuiet && leftOut === 0 && pull.spareMs >= (how.cutMs ?? packetMs)) {
        heard.shrunk++;
        if (how.cutMs === undefined) continue;
        stepMs -= how.cutMs;
      }
      const index = new DataView(pull.payload.buffer, pull.payload.byteOffset).getUint32(0);
      heard.played.push(index);
      heard.delays.push(nowMs - sentAt.get(index)! - least);
      break;
    }
  }
  const sorted = Float64Array.from(heard.delays).sort();
  heard.delayMs = {
    mean: heard.delays.reduce((a, b) => a + b, 0) / heard.delays.length,
    p95: sorted[Math.floor(sorted.length * 0.95)]!,
    most: sorted.at(-1)!,
  };
  return heard;
}

function send({ path, seconds, silentAt }: Listening, everyMs: number): Arrival[] {
  const arrivals: Arrival[] = [];
  let index = 0;
  for (let sentMs = 0; sentMs < seconds * 1000; sentMs += everyMs) {
    if (silentAt?.(sentMs)) continue;
    const delay = path(sentMs);
    if (delay !== undefined) arrivals.push({ atMs: sentMs + delay, index, sentMs });
    index++;
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}
