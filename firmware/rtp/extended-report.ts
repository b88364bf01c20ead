/**
 * RTCP extended reports (RFC 3611): of their blocks the VoIP metrics (§4.7), what a listener heard and how good it was, and
 * the two by which somebody who only listens learns the round trip (§4.4, §4.5).
 */
import { GAP_MINIMUM_PACKETS } from './loss-pattern.ts';

/** Values as they lie in the packet; what is unknown is `UNKNOWN`. */
export interface VoipMetrics {
  /** The source that this is about. */
  ssrc: number;
  /** In 1/256: of all packets, and within bursts and gaps. */
  lossRate: number;
  discardRate: number;
  burstDensity: number;
  gapDensity: number;
  /** Milliseconds, as all times here. */
  burstMs: number;
  gapMs: number;
  roundTripMs: number;
  /** From the network to the ear and from the mouth to the network, together. */
  endSystemMs: number;
  /** 0 to 100. */
  rFactor: number;
  /** In 1/10, 10 to 50: of listening, and of a conversation, where delay counts too. */
  listeningMos: number;
  conversationMos: number;
  /** Delay of the jitter buffer: now, and the most that it may be. */
  bufferMs: number;
  bufferLimitMs: number;
}

/** §4.5: the answer to the reference time of the receiver `ssrc`. */
export interface ReceiverDelay {
  ssrc: number;
  /** Middle 32 bits of that time; 0: none yet. */
  lastRr: number;
  /** Units of 1/65536 s. */
  delaySinceLastRr: number;
}

export interface ExtendedReport {
  type: 'XR';
  ssrc: number;
  metrics: readonly VoipMetrics[];
  /** §4.4: when this was sent. Seconds since 1900, and the fraction in 2⁻³² s. */
  referenceTime?: { seconds: number; fraction: number };
  delays?: readonly ReceiverDelay[];
}

/** §4.7.5: not measured. */
export const UNKNOWN = 127;
const REFERENCE_TIME = 4;
const DELAYS = 5;
const VOIP_METRICS = 7;
/** Each without the head of the block. Bytes. */
const HEAD_BYTES = 4;
const TIME_BYTES = 8;
const DELAY_BYTES = 12;
const METRICS_BYTES = 32;
/** Largest that two bytes hold: longer is said to be this long. */
const LONGEST_MS = 0xffff;
/** §4.7.7: standard concealment, an adaptive buffer, its rate of adjustment unknown. */
const RECEIVER = 0b11_11_0000;

/** Blocks of other kinds, and of another length than theirs, are passed over (§4). */
export function parseExtendedReport(view: DataView): ExtendedReport | 'malformed' {
  const bytes = view.byteLength;
  if (bytes < 4) return 'malformed';
  const metrics: VoipMetrics[] = [];
  const report: ExtendedReport = { type: 'XR', ssrc: view.getUint32(0), metrics };
  let at = 4;
  while (at < bytes) {
    if (at + HEAD_BYTES > bytes) return 'malformed';
    const kind = view.getUint8(at);
    const length = 4 * view.getUint16(at + 2);
    at += HEAD_BYTES;
    if (at + length > bytes) return 'malformed';
    if (kind === VOIP_METRICS && length === METRICS_BYTES) metrics.push(parseMetrics(view, at));
    if (kind === REFERENCE_TIME && length === TIME_BYTES)
      report.referenceTime = { seconds: view.getUint32(at), fraction: view.getUint32(at + 4) };
    if (kind === DELAYS && length > 0 && length % DELAY_BYTES === 0)
      report.delays = [...(report.delays ?? []), ...parseDelays(view, at, length / DELAY_BYTES)];
    at += length;
  }
  return report;
}

const parseDelays = (view: DataView, start: number, count: number): ReceiverDelay[] =>
  Array.from({ length: count }, (_, index) => {
    const at = start + index * DELAY_BYTES;
    return { ssrc: view.getUint32(at), lastRr: view.getUint32(at + 4), delaySinceLastRr: view.getUint32(at + 8) };
  });

const parseMetrics = (view: DataView, at: number): VoipMetrics => ({
  ssrc: view.getUint32(at),
  lossRate: view.getUint8(at + 4),
  discardRate: view.getUint8(at + 5),
  burstDensity: view.getUint8(at + 6),
  gapDensity: view.getUint8(at + 7),
  burstMs: view.getUint16(at + 8),
  gapMs: view.getUint16(at + 10),
  roundTripMs: view.getUint16(at + 12),
  endSystemMs: view.getUint16(at + 14),
  rFactor: view.getUint8(at + 20),
  listeningMos: view.getUint8(at + 22),
  conversationMos: view.getUint8(at + 23),
  bufferMs: view.getUint16(at + 26),
  bufferLimitMs: view.getUint16(at + 30),
});

export function printExtendedReport({ ssrc, metrics, referenceTime, delays = [] }: ExtendedReport): number[] {
  const timeBytes = referenceTime === undefined ? 0 : HEAD_BYTES + TIME_BYTES;
  const delaysBytes = delays.length === 0 ? 0 : HEAD_BYTES + delays.length * DELAY_BYTES;
  const view = new DataView(
    new ArrayBuffer(4 + timeBytes + delaysBytes + metrics.length * (HEAD_BYTES + METRICS_BYTES)),
  );
  view.setUint32(0, ssrc);
  let at = 4;
  /** Returns where what is in the block begins. */
  const begin = (kind: number, bytes: number): number => {
    view.setUint8(at, kind);
    view.setUint16(at + 2, bytes / 4);
    at += HEAD_BYTES + bytes;
    return at - bytes;
  };
  if (referenceTime !== undefined) {
    const from = begin(REFERENCE_TIME, TIME_BYTES);
    view.setUint32(from, referenceTime.seconds);
    view.setUint32(from + 4, referenceTime.fraction);
  }
  if (delays.length > 0) {
    let from = begin(DELAYS, delays.length * DELAY_BYTES);
    for (const delay of delays) {
      view.setUint32(from, delay.ssrc);
      view.setUint32(from + 4, delay.lastRr);
      view.setUint32(from + 8, delay.delaySinceLastRr);
      from += DELAY_BYTES;
    }
  }
  for (const block of metrics) printMetrics(view, begin(VOIP_METRICS, METRICS_BYTES), block);
  return [...new Uint8Array(view.buffer)];
}

function printMetrics(view: DataView, at: number, block: VoipMetrics) {
  view.setUint32(at, block.ssrc);
  const rates = [block.lossRate, block.discardRate, block.burstDensity, block.gapDensity];
  for (const [index, rate] of rates.entries()) view.setUint8(at + 4 + index, Math.min(255, rate));
  const times = [block.burstMs, block.gapMs, block.roundTripMs, block.endSystemMs];
  for (const [index, time] of times.entries()) view.setUint16(at + 8 + 2 * index, Math.min(LONGEST_MS, time));
  // Levels of signal, noise and echo, and the R factor of another network: not measured.
  const rest = [UNKNOWN, UNKNOWN, UNKNOWN, GAP_MINIMUM_PACKETS, block.rFactor, UNKNOWN];
  const opinions = [block.listeningMos, block.conversationMos, RECEIVER];
  for (const [index, value] of [...rest, ...opinions].entries()) view.setUint8(at + 16 + index, value);
  // §4.7.7: the most now, and ever: the same here.
  const buffer = [block.bufferMs, block.bufferLimitMs, block.bufferLimitMs];
  for (const [index, time] of buffer.entries()) view.setUint16(at + 26 + 2 * index, Math.min(LONGEST_MS, time));
}
