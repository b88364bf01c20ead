/** RTCP extended reports (RFC 3611): of their blocks the VoIP metrics (§4.7), what a listener heard and how good it was. */
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

export interface ExtendedReport {
  type: 'XR';
  ssrc: number;
  metrics: readonly VoipMetrics[];
}

/** §4.7.5: not measured. */
export const UNKNOWN = 127;
const VOIP_METRICS = 7;
/** Without the head of the block. */
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
  let at = 4;
  while (at < bytes) {
    if (at + 4 > bytes) return 'malformed';
    const length = 4 * view.getUint16(at + 2);
    if (at + 4 + length > bytes) return 'malformed';
    if (view.getUint8(at) === VOIP_METRICS && length === METRICS_BYTES) metrics.push(parseMetrics(view, at + 4));
    at += 4 + length;
  }
  return { type: 'XR', ssrc: view.getUint32(0), metrics };
}

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

export function printExtendedReport({ ssrc, metrics }: ExtendedReport): number[] {
  const bytes = new Uint8Array(4 + metrics.length * (4 + METRICS_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ssrc);
  for (const [index, block] of metrics.entries()) {
    const at = 4 + index * (4 + METRICS_BYTES);
    view.setUint8(at, VOIP_METRICS);
    view.setUint16(at + 2, METRICS_BYTES / 4);
    printMetrics(view, at + 4, block);
  }
  return [...bytes];
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
