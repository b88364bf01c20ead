/** How good a stream is heard, in the words of the E-model and of extended reports. */
import { meanOpinion, rFactor } from '../rtp/e-model.ts';
import { UNKNOWN, type VoipMetrics } from '../rtp/extended-report.ts';
import type { RtpSession } from '../rtp/session.ts';
import type { Receiving } from './receiving.ts';

/** What is judged. */
export interface Judged {
  session: RtpSession;
  receiving: Receiving;
}

/** Nothing until something was heard. */
export function qualityOf(judged: Judged): { mos?: number } {
  if (judged.receiving.losses.packets === 0) return {};
  return { mos: Math.round(100 * meanOpinion(rOf(judged, delayOf(judged)))) / 100 };
}

const rOf = ({ receiving: { losses } }: Judged, delayMs: number) =>
  rFactor({ delayMs, lossShare: losses.share, burstRatio: losses.burstRatio });

/** From mouth to ear: half the way there and back, a packet to fill, the jitter buffer. Sound cards are not known of. */
const delayOf = (judged: Judged) => (judged.session.statistics.roundTripMs ?? 0) / 2 + endSystemOf(judged);
const endSystemOf = ({ receiving }: Judged) => receiving.packetMs + receiving.bufferMs;

/** RFC 3611 §4.7; `limitMs`: the most that the jitter buffer waits. */
export function voipMetrics(judged: Judged, limitMs: number): Omit<VoipMetrics, 'ssrc'> {
  const { session, receiving } = judged;
  const { losses, packetMs, bufferMs } = receiving;
  const late = Math.min(losses.lost, receiving.latePackets);
  const of256 = (share: number) => Math.min(255, Math.floor(256 * share));
  const ofAll = (packets: number) => (losses.packets === 0 ? 0 : of256(packets / losses.packets));
  const heard = losses.packets > 0;
  const r = rOf(judged, delayOf(judged));
  return {
    lossRate: ofAll(losses.lost - late),
    discardRate: ofAll(late),
    burstDensity: of256(losses.burstDensity),
    gapDensity: of256(losses.gapDensity),
    burstMs: Math.round(losses.burstPackets * packetMs),
    gapMs: Math.round(losses.gapPackets * packetMs),
    roundTripMs: Math.round(session.statistics.roundTripMs ?? 0),
    endSystemMs: Math.round(endSystemOf(judged)),
    rFactor: heard ? Math.round(r) : UNKNOWN,
    // Who only listens does not feel delay.
    listeningMos: heard ? Math.round(10 * meanOpinion(rOf(judged, 0))) : UNKNOWN,
    conversationMos: heard ? Math.round(10 * meanOpinion(r)) : UNKNOWN,
    bufferMs: Math.round(bufferMs),
    bufferLimitMs: limitMs,
  };
}
