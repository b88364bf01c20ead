/**
 * Buffer of a page: gives each packet at the moment that is the same for all speakers (`PlayoutClock`), whatever the
 * network did. What has come too late for its moment is left out, what is missing then is lost, and what is early waits.
 *
 *   apart ── a packet's moment, to the millisecond ──▶ flowing
 *     ▲                                                  │
 *     └── nothing is here; a pause of the sender; ◀──────┘
 *         its clock or ours jumped
 *
 * While it flows, single milliseconds are left to whoever plays faster or slower: `earlyMs` says how much.
 */
import { distance16, distance32 } from '../lib/serial.ts';
import { LossPattern } from './loss-pattern.ts';
import type { RtpPacket } from './packet.ts';
import { PacketRing, RING_PACKETS, RING_PAYLOAD_BYTES, type Slot } from './packet-ring.ts';
import { PlayoutClock } from './playout-clock.ts';
import { lostPull, type Pull, type Push, packetPull } from './pull.ts';

/** Packet time until two packets in sequence have shown it, and the longest that is believed. */
const DEFAULT_PACKET_MS = 20;
const MAX_PACKET_MS = 200;
/** A transit that jumps so far within one packet is a clock that was set or stood still: begin anew. */
const RESTART_JUMP_MS = 1_000;
/** When it begins to flow it is so exact; pauses are made in steps of twice this or a little less (2.5 ms, as Opus has). */
const EXACT_MS = 1.5;
const PAUSE_STEP_MS = 2.5;
const LONGEST_PAUSE_MS = 10;
/** Up to here it is played faster or slower; beyond, it begins to flow anew. */
const MOST_OFF_MS = 20;
/** Packets in a row that have all come too late: the way has become longer than the delay, and time is told anew. */
const LATE_RUN = 10;
/** Who comes into a page that is on lets so many packets come before he plays, to know its time well: half a second. */
const LEARNING_PACKETS = 25;

export class PlayoutBuffer {
  /** `resyncs`: how often it began anew in the midst of the sound. */
  readonly counters = { played: 0, late: 0, duplicate: 0, lost: 0, resyncs: 0 };
  /** In the order of playing: what was lost or came too late. */
  readonly pattern = new LossPattern();
  readonly clock: PlayoutClock;
  readonly #ticksPerMs: number;
  readonly #ring = new PacketRing();
  readonly #packet = packetPull();
  readonly #lost = lostPull();
  readonly #wait = { is: 'wait' as const, forMs: LONGEST_PAUSE_MS };

  /** A source is known: from its first packet to `reset`. */
  #begun = false;
  #ssrc = 0;
  #hasPlayed = false;
  #flows = false;
  #earlyMs = 0;
  /** The sequence number and the unwrapped RTP time of what is played next. */
  #nextSequence = 0;
  #nextTicks = 0;
  /** Of the newest packet by sequence number. */
  #newestSequence = 0;
  #newestTicks = 0;
  #lastTransitMs = 0;
  #packetTicks: number;
  #lastDuration = 0;
  /** Packets that are here and not played. */
  #held = 0;
  #lateInARow = 0;
  /** Packets to come before the first is played. */
  #toLearn = 0;
  /** Sound is pulled so long before it is heard. */
  leadMs = 0;

  /** Ticks per second of the RTP timestamp; from sending to hearing, milliseconds. */
  constructor(clockRate: number, delayMs: number) {
    this.#ticksPerMs = clockRate / 1000;
    this.#packetTicks = DEFAULT_PACKET_MS * this.#ticksPerMs;
    this.clock = new PlayoutClock(clockRate, delayMs);
  }

  /** Forgets everything but the counters. Also done unasked for a new SSRC, a sequence or a clock that jumps. */
  reset() {
    this.#ring.clear();
    this.clock.reset();
    this.#begun = false;
    this.#hasPlayed = false;
    this.#flows = false;
    this.#earlyMs = 0;
    this.#held = 0;
    this.#lateInARow = 0;
    this.#toLearn = 0;
  }

  /** What comes next belongs to a page that has been on for a while, though nothing of it came here. */
  comeLate() {
    this.#toLearn = LEARNING_PACKETS;
  }

  /** What came last has been heard after so long, milliseconds. */
  get delayMs(): number {
    return this.#begun ? this.clock.delayMs + this.#packetTicks / this.#ticksPerMs : 0;
  }

  /** How much too early what was pulled last would be heard; negative: too late. Milliseconds. */
  get earlyMs(): number {
    return this.#flows ? this.#earlyMs : 0;
  }

  get isEmpty(): boolean {
    return this.#held === 0;
  }

  /** Copies the payload. */
  push(packet: RtpPacket, nowMs: number): Push {
    if (packet.payload.length > RING_PAYLOAD_BYTES) return 'overflow';
    if (this.#begun && this.#isAnother(packet, nowMs)) this.reset();
    if (!this.#begun) this.#begin(packet, nowMs);
    const ticks = this.#unwrap(packet.timestamp);
    if (this.#ring.has(packet.sequence)) {
      this.counters.duplicate++;
      return 'duplicate';
    }
    this.#lastTransitMs = nowMs - ticks / this.#ticksPerMs;
    this.clock.arrived(ticks, nowMs);
    this.#watchForLate(ticks, nowMs);
    if (this.#toLearn > 0) this.#toLearn--;
    let ahead = distance16(packet.sequence, this.#nextSequence);
    if (ahead < 0 && !this.#hasPlayed && distance16(this.#newestSequence, packet.sequence) < RING_PACKETS) {
      // The first to arrive was not the first sent.
      this.#nextSequence = packet.sequence;
      this.#nextTicks = ticks;
      ahead = 0;
    }
    if (ahead < 0) {
      this.counters.late++;
      return 'late';
    }
    const full = ahead >= RING_PACKETS;
    for (let i = RING_PACKETS; i <= ahead; i++) this.#passOver(this.#ring.waiting(this.#nextSequence));
    this.#store(packet, ticks);
    return full ? 'overflow' : 'ok';
  }

  /** A page has nothing but sound. */
  pass(): Push {
    return 'ok';
  }

  /** A sender report of this source: when `timestamp` was, or undefined where the wall clock here is not to be trusted. */
  reported(ssrc: number, timestamp: number, sentMs: number | undefined) {
    if (!this.#begun || ssrc !== this.#ssrc) return;
    if (sentMs === undefined) this.clock.doubt();
    else this.clock.reported(this.#unwrap(timestamp), sentMs);
  }

  #begin(packet: RtpPacket, nowMs: number) {
    this.#begun = true;
    this.#ssrc = packet.ssrc;
    this.#nextSequence = packet.sequence;
    this.#newestSequence = packet.sequence;
    this.#newestTicks = packet.timestamp;
    this.#nextTicks = packet.timestamp;
    this.#lastTransitMs = nowMs - packet.timestamp / this.#ticksPerMs;
  }

  /** Another source, or the same one begun anew. */
  #isAnother({ ssrc, sequence, timestamp }: RtpPacket, nowMs: number): boolean {
    if (ssrc !== this.#ssrc) return true;
    const jump = distance16(sequence, this.#newestSequence);
    if (Math.abs(jump) >= RING_PACKETS) return true;
    return Math.abs(nowMs - this.#unwrap(timestamp) / this.#ticksPerMs - this.#lastTransitMs) > RESTART_JUMP_MS;
  }

  #watchForLate(ticks: number, nowMs: number) {
    const isLate = this.clock.playAtMs(ticks) - this.leadMs < nowMs;
    this.#lateInARow = isLate ? this.#lateInARow + 1 : 0;
    if (this.#lateInARow < LATE_RUN) return;
    this.#lateInARow = 0;
    this.counters.resyncs++;
    this.clock.reset();
    this.clock.arrived(ticks, nowMs);
  }

  #store(packet: RtpPacket, ticks: number) {
    this.#ring.store(packet, ticks, true);
    this.#held++;
    const step = distance16(packet.sequence, this.#newestSequence);
    if (step <= 0) return;
    const duration = step === 1 ? ticks - this.#newestTicks : 0;
    // Twice the same, since one alone may be the end of a silence.
    if (duration === this.#lastDuration && duration > 0 && duration <= MAX_PACKET_MS * this.#ticksPerMs) {
      this.#packetTicks = duration;
    }
    this.#lastDuration = duration;
    this.#newestSequence = packet.sequence;
    this.#newestTicks = ticks;
  }

  /**
   * Before the first sound: milliseconds from `heardMs`, when what is pulled now would be heard, to the moment of the
   * next packet. Infinite where none is here.
   */
  startsInMs(heardMs: number): number {
    if (this.#toLearn > 0) return Number.POSITIVE_INFINITY;
    while (this.#held > 0) {
      const slot = this.#ring.waiting(this.#nextSequence);
      if (slot !== undefined) this.#nextTicks = slot.ticks;
      const earlyMs = this.clock.playAtMs(this.#nextTicks) - heardMs;
      if (earlyMs >= 0) return earlyMs;
      this.#passOver(slot);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** What is next, as it is to be heard `readyMs` after `nowMs`. */
  pull(nowMs: number, readyMs: number): Pull {
    while (this.#held > 0) {
      const slot = this.#ring.waiting(this.#nextSequence);
      // Not the next sample: the sender was silent meanwhile.
      const isApart = slot !== undefined && Math.abs(slot.ticks - this.#nextTicks) > this.#packetTicks / 2;
      if (slot !== undefined) this.#nextTicks = slot.ticks;
      const earlyMs = this.clock.playAtMs(this.#nextTicks) - nowMs - readyMs;
      if (this.#flows && !isApart && Math.abs(earlyMs) > MOST_OFF_MS) {
        this.counters.resyncs++;
        this.#flows = false;
      }
      if (isApart) this.#flows = false;
      if (!this.#flows && earlyMs > EXACT_MS) return this.#pause(earlyMs);
      if (!this.#flows && earlyMs < -EXACT_MS) {
        this.#leaveOut(slot);
        continue;
      }
      this.#flows = true;
      this.#hasPlayed = true;
      this.#earlyMs = earlyMs;
      return slot === undefined ? this.#conceal() : this.#play(slot);
    }
    this.#flows = false;
    return this.#pause(LONGEST_PAUSE_MS);
  }

  #pause(ms: number): Pull {
    const steps = Math.max(1, Math.round(Math.min(ms, LONGEST_PAUSE_MS) / PAUSE_STEP_MS));
    this.#wait.forMs = steps * PAUSE_STEP_MS;
    return this.#wait;
  }

  #play(slot: Slot): Pull {
    this.#packet.payload = slot.payload;
    this.#packet.payloadType = slot.payloadType;
    this.#packet.timestamp = slot.timestamp;
    this.counters.played++;
    this.pattern.heard();
    this.#step(slot);
    return this.#packet;
  }

  #conceal(): Pull {
    this.#countLost();
    this.#lost.durationTicks = this.#packetTicks;
    this.#step(undefined);
    const following = this.#ring.waiting(this.#nextSequence);
    this.#lost.following = following?.payload;
    this.#lost.followingType = following?.payloadType ?? 0;
    return this.#lost;
  }

  /** Its moment is over. */
  #leaveOut(slot: Slot | undefined) {
    if (slot === undefined) this.#countLost();
    else this.counters.late++;
    this.#step(slot);
  }

  #countLost() {
    this.counters.lost++;
    this.pattern.lost();
  }

  /** Nobody listens: the oldest gives way. */
  #passOver(slot: Slot | undefined) {
    if (slot !== undefined) this.#nextTicks = slot.ticks;
    this.#step(slot);
  }

  /** Past the next sequence number; the slot remembers that it was here. */
  #step(slot: Slot | undefined) {
    if (slot !== undefined) {
      slot.state = 'done';
      this.#held--;
    }
    this.#nextTicks += this.#packetTicks;
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
  }

  #unwrap(timestamp: number): number {
    // `>>>` reduces modulo 2³², whatever the size and the sign.
    return this.#newestTicks + distance32(timestamp, this.#newestTicks >>> 0);
  }
}
