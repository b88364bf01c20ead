/** One remote source of RTP: which packets count (RFC 3550 A.1), what was lost (A.3), how unsteadily they come (A.8). */
import { add16, distance16 } from '../lib/serial.ts';
import type { RtpPacket } from './packet.ts';
import type { ReportBlock } from './rtcp.ts';

/**
 * `ok`: play it. `duplicate`: has been here. `probation`: its source is not trusted yet. `bad`: a sequence number far
 * from the expected one; two in a row are a source that restarted, and the second is `ok`.
 */
export type Reception = 'ok' | 'duplicate' | 'probation' | 'bad';

/** RFC 3550 A.1: the largest gap and the largest step back that are still the same stream, in packets. */
const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 100;
/** How many packets back a duplicate is still known for one; a power of two above MAX_MISORDER. */
const REMEMBERED_PACKETS = 256;
const SEQUENCE_MODULUS = 1 << 16;
/** No sequence number continues this one. */
const NONE = -1;

export class RtpSource {
  readonly ssrc: number;
  readonly #clockRate: number;
  readonly #minSequential: number;
  #probation: number;
  #expectedSequence = NONE;
  #highest = 0;
  #cycles = 0;
  #base = 0;
  #restartAt = NONE;
  /** Since the source began or restarted. */
  #received = 0;
  readonly #beforeRestart = { received: 0, lost: 0 };
  #receivedBytes = 0;
  #duplicates = 0;
  #restarts = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  readonly #seen = new Float64Array(REMEMBERED_PACKETS).fill(Number.NaN);

  #jitter = 0;
  #lastTimestamp = 0;
  #lastArrivalMs = 0;
  #timed = false;

  /** `probation`: packets in sequence before the source counts (A.1 has 2; 0 for a call, where SDP has announced it). */
  constructor(ssrc: number, clockRate: number, probation: number) {
    this.ssrc = ssrc;
    this.#clockRate = clockRate;
    this.#minSequential = probation;
    this.#probation = probation;
  }

  /** A packet of this source. Allocates nothing. */
  receive(packet: RtpPacket, nowMs: number): Reception {
    const { sequence } = packet;
    if (this.#probation > 0) {
      this.#probation = (sequence === this.#expectedSequence ? this.#probation : this.#minSequential) - 1;
      this.#expectedSequence = add16(sequence, 1);
      if (this.#probation > 0) return 'probation';
      this.#begin(sequence);
    } else if (this.#received === 0) {
      this.#begin(sequence);
    }

    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead < MAX_DROPOUT) {
      if (sequence < this.#highest) this.#cycles += SEQUENCE_MODULUS;
      this.#highest = sequence;
    } else if (ahead <= SEQUENCE_MODULUS - MAX_MISORDER) {
      if (sequence !== this.#restartAt) {
        this.#restartAt = add16(sequence, 1);
        return 'bad';
      }
      this.#restarts++;
      this.#beforeRestart.received = this.received;
      this.#beforeRestart.lost = this.lost;
      this.#begin(sequence);
    }

    this.#received++;
    this.#receivedBytes += packet.payload.length;
    const extended = this.#cycles + this.#highest + distance16(sequence, this.#highest);
    const slot = sequence & (REMEMBERED_PACKETS - 1);
    if (this.#seen[slot] === extended) {
      this.#duplicates++;
      return 'duplicate';
    }
    this.#seen[slot] = extended;
    this.#measureJitter(packet.timestamp, nowMs);
    return 'ok';
  }

  #begin(sequence: number) {
    this.#base = sequence;
    this.#highest = sequence;
    this.#cycles = 0;
    this.#restartAt = NONE;
    this.#received = 0;
    this.#receivedPrior = 0;
    this.#expectedPrior = 0;
    this.#seen.fill(Number.NaN);
    this.#timed = false;
  }

  /** A.8. Packets that repeat a timestamp (an RFC 4733 event, a frame in parts) say nothing of the network: left out. */
  #measureJitter(timestamp: number, nowMs: number) {
    const ticks = (timestamp - this.#lastTimestamp) | 0;
    if (this.#timed && ticks === 0) return;
    if (this.#timed) {
      const difference = Math.abs(((nowMs - this.#lastArrivalMs) * this.#clockRate) / 1000 - ticks);
      this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#timed = true;
    this.#lastTimestamp = timestamp;
    this.#lastArrivalMs = nowMs;
  }

  /** Still in probation, or never heard: nothing is reported of it. */
  get valid(): boolean {
    return this.#received > 0;
  }

  /** Late ones and duplicates included (A.3). */
  get received(): number {
    return this.#beforeRestart.received + this.#received;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** A.3. Negative where duplicates outnumber what was lost. */
  get lost(): number {
    return this.#beforeRestart.lost + (this.valid ? this.#expected - this.#received : 0);
  }

  get jitterMs(): number {
    return (this.#jitter * 1000) / this.#clockRate;
  }

  get #expected(): number {
    return this.#cycles + this.#highest - this.#base + 1;
  }

  /** The report on this source; begins a new interval for `fractionLost` (A.3). */
  report(lastSr: number, delaySinceLastSr: number): ReportBlock {
    const expected = this.#expected - this.#expectedPrior;
    const lost = expected - (this.#received - this.#receivedPrior);
    this.#expectedPrior = this.#expected;
    this.#receivedPrior = this.#received;
    return {
      ssrc: this.ssrc,
      fractionLost: expected === 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected)),
      cumulativeLost: Math.max(-0x800000, Math.min(0x7fffff, this.#expected - this.#received)),
      highestSequence: (this.#cycles + this.#highest) >>> 0,
      jitter: Math.floor(this.#jitter),
      lastSr,
      delaySinceLastSr,
    };
  }
}
