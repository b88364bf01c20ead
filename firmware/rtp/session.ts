/** One end of a point-to-point RTP session (RFC 3550): its own headers, the peer's source, and reports both ways. No I/O. */
import type { WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { add16, add32 } from '../lib/serial.ts';
import { type ExtendedReport, UNKNOWN, type VoipMetrics } from './extended-report.ts';
import { NtpClock } from './ntp.ts';
import type { RtpHeader, RtpPacket } from './packet.ts';
import { RoundTrip } from './round-trip.ts';
import { parseRtcp, printRtcp, type ReportBlock, type RtcpPacket } from './rtcp.ts';
import { type Reception, RtpSource } from './source.ts';

export interface RtpSessionOptions {
  /** RFC 3550 §6.5.1. */
  cname: string;
  /** Ticks per second of the RTP timestamp: 8000 for G.711, 48000 for Opus (RFC 7587 §4.1). */
  clockRate: number;
  random: Random;
  wallClock: WallClock;
  /** Packets in sequence before the first source counts. Default 0: SDP has announced it. */
  probation?: number;
  /** Reports come at this pace, the first at once. Default: as RFC 3550 §6.2 has it. */
  reportEveryMs?: number;
}

export interface RtpStatistics {
  sentPackets: number;
  /** Payload only, as in RFC 3550 §6.4.1; so is `receivedBytes`. */
  sentBytes: number;
  receivedPackets: number;
  receivedBytes: number;
  lostPackets: number;
  duplicatePackets: number;
  /** Packets of a wrong sequence, or of our own coming back. */
  badPackets: number;
  jitterMs: number;
  /** What the peer's last report says of what we sent; absent until then. */
  remoteLossFraction?: number;
  remoteLostPackets?: number;
  remoteJitterMs?: number;
  roundTripMs?: number;
  /** What the peer makes of what it hears of us, 1 to 5 (RFC 3611 §4.7.5); absent where it does not say. */
  remoteMos?: number;
  /** The peer has said BYE. */
  goodbye: boolean;
}

/** RFC 3550 §6.2. With two members the share of bandwidth never asks for more, so the minimum is the interval. */
const RTCP_INTERVAL_MS = 5_000;
/** RFC 3550 §6.3.1: e − 3/2, makes up for the randomised interval being shortened by reconsideration. */
const COMPENSATION = Math.E - 1.5;
/** §8.2: an identifier that collides again this soon is our own packets coming back, not chance. Ten intervals. */
const COLLISION_MEMORY_MS = 10 * RTCP_INTERVAL_MS;
/** Not an SSRC. */
const NOBODY = -1;

export class RtpSession {
  readonly clockRate: number;
  /** What extended reports tell of the present source; undefined: none are sent. */
  metrics: (() => Omit<VoipMetrics, 'ssrc'>) | undefined;
  /** Measured with each report; what of it needs extended reports is set there. */
  readonly roundTrip: RoundTrip;
  readonly #cname: string;
  readonly #random: Random;
  readonly #ntp: NtpClock;
  readonly #probation: number;
  readonly #reportEveryMs: number | undefined;

  #header: RtpHeader;
  /** The media clock: moves by `advance`, whether packets are sent or not. */
  #timestamp: number;
  #stampedAtMs = 0;
  #stampedTimestamp = 0;
  #sentPackets = 0;
  #sentBytes = 0;
  #everSent = false;
  /** Reports since the last packet was sent; an SR is due while below 2 (§6.4). */
  #reportsSinceSent = 2;

  #source: RtpSource | undefined;
  /** Another SSRC, which takes over with this sequence number if no packet of the present source comes before it. */
  readonly #candidate = { ssrc: NOBODY, nextSequence: 0 };
  /** Totals of the sources before the present one. */
  readonly #before = { packets: 0, bytes: 0, lost: 0, duplicates: 0 };
  #bad = 0;
  #goodbye = false;
  #seenByPeer: ReportBlock | undefined;
  #remoteMos: number | undefined;

  #nextReportMs: number | undefined;
  #collidedAtMs = Number.NEGATIVE_INFINITY;
  /** An identifier given up, to be taken leave of in the next report. */
  #leaving: number | undefined;

  constructor(options: RtpSessionOptions) {
    this.clockRate = options.clockRate;
    this.#cname = options.cname;
    this.#random = options.random;
    this.#ntp = new NtpClock(options.wallClock);
    this.roundTrip = new RoundTrip(this.#ntp);
    this.#probation = options.probation ?? 0;
    this.#reportEveryMs = options.reportEveryMs;
    this.#timestamp = options.random.uint32();
    this.#header = this.#freshHeader();
  }

  /** What the peer's last report says of what we sent; another object with each. */
  get seenByPeer(): Readonly<ReportBlock> | undefined {
    return this.#seenByPeer;
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** The timestamp that the next frame has. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** The present remote source, for a consumer that keeps state of it. */
  get remoteSsrc(): number | undefined {
    return this.#source?.ssrc;
  }

  /** Random start values: §5.1. */
  #freshHeader(): RtpHeader {
    return {
      payloadType: 0,
      marker: false,
      sequence: this.#random.uint32() & 0xffff,
      timestamp: 0,
      ssrc: this.#random.uint32(),
    };
  }

  /**
   * Takes the next sequence number and counts a packet of `payloadBytes`. The returned object is reused. `timestamp`
   * defaults to the media clock; an RFC 4733 event gives that of its beginning.
   */
  nextHeader(
    nowMs: number,
    payloadType: number,
    payloadBytes: number,
    marker = false,
    timestamp = this.#timestamp,
  ): RtpHeader {
    const header = this.#header;
    header.payloadType = payloadType;
    header.marker = marker;
    header.sequence = add16(header.sequence, 1);
    header.timestamp = timestamp;
    this.#stampedAtMs = nowMs;
    this.#stampedTimestamp = this.#timestamp;
    this.#sentPackets++;
    this.#sentBytes += payloadBytes;
    this.#everSent = true;
    this.#reportsSinceSent = 0;
    return header;
  }

  /** Moves the media clock: after each frame, sent or not. */
  advance(ticks: number) {
    this.#timestamp = add32(this.#timestamp, ticks);
  }

  /**
   * Judges a packet. A new SSRC takes over once the present one has stopped: from then on its packets are `ok`, with
   * their own `ssrc`, which the jitter buffer takes for a new beginning. Allocates nothing while the source stays.
   */
  received(packet: RtpPacket, nowMs: number): Reception {
    if (packet.ssrc === this.ssrc && !this.#resolveCollision(nowMs)) {
      this.#bad++;
      return 'bad';
    }
    if (this.#source === undefined) this.#source = new RtpSource(packet.ssrc, this.clockRate, this.#probation);
    if (packet.ssrc === this.#source.ssrc) {
      this.#candidate.ssrc = NOBODY;
      const reception = this.#source.receive(packet, nowMs);
      if (reception === 'bad') this.#bad++;
      return reception;
    }
    if (packet.ssrc !== this.#candidate.ssrc || packet.sequence !== this.#candidate.nextSequence) {
      this.#candidate.ssrc = packet.ssrc;
      this.#candidate.nextSequence = add16(packet.sequence, 1);
      return 'probation';
    }
    this.#takeOver(packet.ssrc);
    return this.#source.receive(packet, nowMs);
  }

  #takeOver(ssrc: number) {
    const old = this.#source!;
    this.#before.packets += old.received;
    this.#before.bytes += old.receivedBytes;
    this.#before.lost += old.lost;
    this.#before.duplicates += old.duplicates;
    this.#source = new RtpSource(ssrc, this.clockRate, 0);
    this.#candidate.ssrc = NOBODY;
    this.roundTrip.forget();
    this.#goodbye = false;
  }

  /** §8.2: the peer has our identifier, so we take another. False: we did so just now, and hear ourselves. */
  #resolveCollision(nowMs: number): boolean {
    const looped = nowMs - this.#collidedAtMs < COLLISION_MEMORY_MS;
    this.#collidedAtMs = nowMs;
    if (looped) return false;
    if (this.#everSent) this.#leaving = this.ssrc;
    this.#header = this.#freshHeader();
    this.#sentPackets = 0;
    this.#sentBytes = 0;
    this.#reportsSinceSent = 2;
    return true;
  }

  /** The compound packet to send now, or undefined while none is due. Ask at every frame; the first asking arms it. */
  rtcp(nowMs: number): Uint8Array | undefined {
    if (this.#nextReportMs === undefined) {
      // §6.2: half the interval before the first report.
      this.#nextReportMs = this.#reportEveryMs === undefined ? nowMs + this.#interval() / 2 : nowMs;
      this.#ntp.anchor(nowMs);
      return undefined;
    }
    if (nowMs < this.#nextReportMs) return undefined;
    this.#nextReportMs = nowMs + this.#interval();
    const leaving = this.#leaving;
    this.#leaving = undefined;
    const bytes = this.#compound(nowMs, leaving === undefined ? [] : [leaving]);
    this.#reportsSinceSent++;
    return bytes;
  }

  /** The last packet of the session; undefined where nothing was ever sent (§6.3.7 forbids a BYE then). */
  bye(nowMs: number): Uint8Array | undefined {
    return this.#everSent ? this.#compound(nowMs, [this.ssrc]) : undefined;
  }

  #interval(): number {
    if (this.#reportEveryMs !== undefined) return this.#reportEveryMs;
    return (RTCP_INTERVAL_MS * (0.5 + this.#random.next())) / COMPENSATION;
  }

  #compound(nowMs: number, leaving: number[]): Uint8Array {
    const ssrc = this.ssrc;
    const reports = this.#source?.valid ? [this.#reportOn(this.#source, nowMs)] : [];
    const sends = this.#reportsSinceSent < 2;
    const packets: RtcpPacket[] = [
      sends ? this.#senderReport(nowMs, reports) : { type: 'RR', ssrc, reports },
      { type: 'SDES', sources: [{ ssrc, cname: this.#cname }] },
    ];
    const extended = this.#extendedReport(nowMs, sends);
    if (extended !== undefined) packets.push(extended);
    if (leaving.length > 0) packets.push({ type: 'BYE', sources: leaving });
    this.#everSent = true;
    return printRtcp(packets);
  }

  #extendedReport(nowMs: number, sends: boolean): ExtendedReport | undefined {
    const told = this.#source?.valid ? this.metrics?.() : undefined;
    const metrics = told === undefined ? [] : [{ ssrc: this.#source!.ssrc, ...told }];
    const times = this.roundTrip.say(nowMs, sends);
    if (metrics.length === 0 && times.referenceTime === undefined && times.delays === undefined) return undefined;
    return { type: 'XR', ssrc: this.ssrc, metrics, ...times };
  }

  #reportOn(source: RtpSource, nowMs: number): ReportBlock {
    const { lastSr, delaySinceLastSr } = this.roundTrip.lastSr(nowMs);
    return source.report(lastSr, delaySinceLastSr);
  }

  #senderReport(nowMs: number, reports: ReportBlock[]): RtcpPacket {
    const { seconds, fraction } = this.#ntp.at(nowMs);
    const sinceStamped = Math.round(((nowMs - this.#stampedAtMs) * this.clockRate) / 1000);
    return {
      type: 'SR',
      ssrc: this.ssrc,
      ntpSeconds: seconds,
      ntpFraction: fraction,
      // §6.4.1: the same instant as the NTP time, not the timestamp of the last packet.
      rtpTimestamp: add32(this.#stampedTimestamp, sinceStamped),
      packets: this.#sentPackets >>> 0,
      octets: this.#sentBytes >>> 0,
      reports,
    };
  }

  /** Takes a compound packet. False where it is malformed. */
  receivedRtcp(bytes: Uint8Array, nowMs: number): boolean {
    const packets = parseRtcp(bytes);
    if (packets === undefined) return false;
    for (const packet of packets) this.#take(packet, nowMs);
    return true;
  }

  #take(packet: RtcpPacket, nowMs: number) {
    if (packet.type === 'SDES') return;
    if (packet.type === 'BYE') {
      if (this.#source !== undefined && packet.sources.includes(this.#source.ssrc)) this.#goodbye = true;
      return;
    }
    if (packet.ssrc === this.ssrc && !this.#resolveCollision(nowMs)) return;
    if (packet.type === 'XR') {
      this.#takeMetrics(packet.metrics);
      this.roundTrip.heard(packet, this.ssrc, nowMs);
      return;
    }
    if (packet.type === 'SR' && packet.ssrc === this.#source?.ssrc)
      this.roundTrip.heardSr(packet.ntpSeconds, packet.ntpFraction, nowMs);
    const ours = packet.reports.find(({ ssrc }) => ssrc === this.ssrc);
    if (ours === undefined) return;
    this.#seenByPeer = ours;
    this.roundTrip.measure(ours.lastSr, ours.delaySinceLastSr, nowMs);
  }

  #takeMetrics(metrics: readonly VoipMetrics[]) {
    const mos = metrics.find(({ ssrc }) => ssrc === this.ssrc)?.conversationMos ?? UNKNOWN;
    // RFC 3611 §4.7.5: from 10 to 50, 127 where it is not known.
    if (mos >= 10 && mos <= 50) this.#remoteMos = mos / 10;
  }

  get statistics(): RtpStatistics {
    const source = this.#source;
    const statistics: RtpStatistics = {
      sentPackets: this.#sentPackets,
      sentBytes: this.#sentBytes,
      receivedPackets: this.#before.packets + (source?.received ?? 0),
      receivedBytes: this.#before.bytes + (source?.receivedBytes ?? 0),
      lostPackets: this.#before.lost + (source?.lost ?? 0),
      duplicatePackets: this.#before.duplicates + (source?.duplicates ?? 0),
      badPackets: this.#bad,
      jitterMs: source?.jitterMs ?? 0,
      goodbye: this.#goodbye,
    };
    if (this.#seenByPeer !== undefined) {
      statistics.remoteLossFraction = this.#seenByPeer.fractionLost / 256;
      statistics.remoteLostPackets = this.#seenByPeer.cumulativeLost;
      statistics.remoteJitterMs = (this.#seenByPeer.jitter * 1000) / this.clockRate;
    }
    if (this.roundTrip.ms !== undefined) statistics.roundTripMs = this.roundTrip.ms;
    if (this.#remoteMos !== undefined) statistics.remoteMos = this.#remoteMos;
    return statistics;
  }
}
