/**
 * Adaptive jitter buffer: takes packets as the network brings them, gives them in order at the pace of the loudspeaker.
 *
 * Everything is reckoned in offsets: the play position has an RTP time, and `now − RTP time` says how late it is played.
 * `DelayEstimate` says how late it should be. Too early: `wait` stretches. Too late: packets tell of `spareMs`.
 */
import { distance16, distance32 } from '../lib/serial.ts';
import { DelayEstimate } from './delay-estimate.ts';
import { LossPattern } from './loss-pattern.ts';
import type { RtpPacket } from './packet.ts';
import { PacketRing, RING_PACKETS, RING_PAYLOAD_BYTES, type Slot } from './packet-ring.ts';
import { lostPull, type Pull, type Push, packetPull } from './pull.ts';

export interface JitterBufferOptions {
  /** Ticks per second of the RTP timestamp. */
  clockRate: number;
  /** The delay stays between these, counted from the quickest packets. */
  minMs: number;
  maxMs: number;
}

export interface JitterCounters {
  played: number;
  late: number;
  duplicate: number;
  lost: number;
  /** Left out because the buffer held more than `maxMs`, or was not pulled. */
  skipped: number;
  /** Pulls in the midst of the stream that found nothing to play. */
  starved: number;
  /** Pulls that were made to wait because the delay had to grow. */
  stretched: number;
  restarts: number;
}

/** Packet time until three packets in sequence have shown it, and the longest that is believed. */
const DEFAULT_PACKET_MS = 20;
const MAX_PACKET_MS = 200;
/** A transit that jumps so far within one packet is a clock that was set or stood still: begin anew. */
const RESTART_JUMP_MS = 1_000;
/** The delay is stretched when it is short by more than this, in packet times. */
const STRETCH_TOLERANCE = 0.25;
/** It is let grow before the buffer is empty by no more than this above what is wanted, in packet times. */
const MOST_AHEAD = 1;
/** Of a pull later than its neighbours, only this share counts: a thread that was held up is no reason to shrink. */
const LATE_PULL_WEIGHT = 0.05;

export class JitterBuffer {
  readonly counters: JitterCounters = {
    played: 0,
    late: 0,
    duplicate: 0,
    lost: 0,
    skipped: 0,
    starved: 0,
    stretched: 0,
    restarts: 0,
  };
  /** In the order of playing: what was lost or came too late. */
  readonly pattern = new LossPattern();
  readonly #ticksPerMs: number;
  readonly #maxMs: number;
  readonly #estimate: DelayEstimate;
  readonly #ring = new PacketRing();

  readonly #packet = packetPull();
  readonly #lost = lostPull();
  readonly #wait = { is: 'wait' as const };

  /** A source is known: from its first packet to `reset`. */
  #begun = false;
  #ssrc = 0;
  /** Something has been played since it began. */
  #playing = false;
  /** The sequence number and the unwrapped RTP time of what is played next. */
  #nextSequence = 0;
  #nextTicks = 0;
  /** Of the newest packet by sequence number, and of the last arrived. */
  #newestSequence = 0;
  #newestTicks = 0;
  #lastTransitMs = 0;
  #packetTicks: number;
  #lastDuration = 0;
  /** Packets of sound that are here and not played. */
  #held = 0;
  /** The offset before the buffer ran empty; what is missing after it was concealed meanwhile, as far as this reaches. */
  #offsetBeforeStarvingMs: number | undefined;
  #offsetMs = 0;
  /** The offset without the lateness of single pulls. */
  #steadyOffsetMs = 0;

  constructor({ clockRate, minMs, maxMs }: JitterBufferOptions) {
    this.#ticksPerMs = clockRate / 1000;
    this.#maxMs = Math.max(minMs, maxMs);
    this.#estimate = new DelayEstimate(minMs, maxMs);
    this.#packetTicks = DEFAULT_PACKET_MS * this.#ticksPerMs;
  }

  /** Forgets everything but the counters. Also done unasked for a new SSRC, a sequence or a clock that jumps. */
  reset() {
    this.#ring.clear();
    this.#estimate.reset();
    this.#begun = false;
    this.#playing = false;
    this.#held = 0;
    this.#offsetBeforeStarvingMs = undefined;
  }

  /** How much later than the quickest packets sound is played, milliseconds. */
  get delayMs(): number {
    return this.#playing ? Math.max(0, this.#offsetMs - this.#estimate.leastMs) : 0;
  }

  /** The delay striven for, milliseconds. */
  get targetMs(): number {
    return this.#begun ? this.#estimate.wantedMs - this.#estimate.leastMs : 0;
  }

  /** Copies the payload. */
  push(packet: RtpPacket, nowMs: number): Push {
    return this.#put(packet, nowMs, true);
  }

  /** A packet of the same source that is no sound (an RFC 4733 event, an unknown payload): its number is not missing. */
  pass(packet: RtpPacket, nowMs: number): Push {
    return this.#put(packet, nowMs, false);
  }

  #put(packet: RtpPacket, nowMs: number, sound: boolean): Push {
    if (sound && packet.payload.length > RING_PAYLOAD_BYTES) return 'overflow';
    if (this.#begun && this.#isAnother(packet, nowMs, sound)) {
      this.counters.restarts++;
      this.reset();
    }
    if (!this.#begun) {
      if (!sound) return 'ok';
      this.#begin(packet, nowMs);
    }

    const ticks = this.#unwrap(packet.timestamp);
    const transitMs = nowMs - ticks / this.#ticksPerMs;
    let ahead = distance16(packet.sequence, this.#nextSequence);
    if (this.#ring.has(packet.sequence)) {
      this.counters.duplicate++;
      return 'duplicate';
    }
    if (sound) this.#lastTransitMs = transitMs;
    if (ahead < 0 && sound && !this.#playing && distance16(this.#newestSequence, packet.sequence) < RING_PACKETS) {
      // The first to arrive was not the first sent.
      this.#nextSequence = packet.sequence;
      this.#nextTicks = ticks;
      ahead = 0;
    }
    if (ahead < 0) {
      if (!sound) return 'late';
      this.counters.late++;
      this.#learn(transitMs, true);
      return 'late';
    }
    // The first after a drought came too late as well, though it can still be played.
    const drought = this.#offsetBeforeStarvingMs !== undefined && transitMs > this.#offsetBeforeStarvingMs;
    if (sound) this.#learn(transitMs, drought);
    const full = ahead >= RING_PACKETS;
    if (full) this.#makeRoom(ahead - RING_PACKETS + 1);
    this.#store(packet, ticks, sound);
    return full ? 'overflow' : 'ok';
  }

  #learn(transitMs: number, late: boolean) {
    this.#estimate.add(transitMs);
    if (late) this.#estimate.raise(transitMs);
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
  #isAnother(packet: RtpPacket, nowMs: number, sound: boolean): boolean {
    if (packet.ssrc !== this.#ssrc) return true;
    const jump = distance16(packet.sequence, this.#newestSequence);
    if (jump >= RING_PACKETS || jump < -RING_PACKETS) return true;
    // An event keeps the timestamp of its beginning: it tells nothing of the clock.
    if (jump <= 0 || !sound) return false;
    return Math.abs(nowMs - this.#unwrap(packet.timestamp) / this.#ticksPerMs - this.#lastTransitMs) > RESTART_JUMP_MS;
  }

  #store(packet: RtpPacket, ticks: number, sound: boolean) {
    this.#ring.store(packet, ticks, sound);
    if (sound) this.#held++;
    const step = distance16(packet.sequence, this.#newestSequence);
    if (step <= 0) return;
    this.#newestSequence = packet.sequence;
    if (!sound) return;
    const duration = step === 1 ? ticks - this.#newestTicks : 0;
    // Twice the same, since one alone may be the end of a silence.
    if (duration === this.#lastDuration && duration > 0 && duration <= MAX_PACKET_MS * this.#ticksPerMs) {
      this.#packetTicks = duration;
    }
    this.#lastDuration = duration;
    this.#newestTicks = ticks;
  }

  /** Nobody pulls: the oldest give way. */
  #makeRoom(places: number) {
    for (let i = 0; i < places; i++) this.#skip();
  }

  #skip() {
    const slot = this.#ring.waiting(this.#nextSequence);
    if (slot !== undefined && slot.state === 'sound') {
      this.counters.skipped++;
      this.#held--;
      this.#nextTicks = slot.ticks + this.#packetTicks;
    }
    if (slot === undefined) this.#countLost();
    this.#step(slot);
  }

  /** What is next: one packet time for the decoder. */
  pull(nowMs: number): Pull {
    this.#passOver();
    if (this.#held === 0) return this.#starve();
    while (this.#held > 1 && this.#contentsMs() > this.#maxMs + this.#packetTicks / this.#ticksPerMs) this.#skip();

    for (;;) {
      const slot = this.#passOver();
      if (slot !== undefined) this.#nextTicks = slot.ticks;
      const offsetMs = nowMs - this.#nextTicks / this.#ticksPerMs;
      const starvedMs = this.#offsetBeforeStarvingMs === undefined ? 0 : offsetMs - this.#offsetBeforeStarvingMs;
      if (slot === undefined && starvedMs >= this.#packetTicks / this.#ticksPerMs / 2) {
        // Its time has been concealed already, while the buffer was empty.
        this.#countLost();
        this.#nextTicks += this.#packetTicks;
        this.#step(undefined);
        continue;
      }
      if (this.#isEarly(offsetMs)) return this.#stretch();
      this.#follow(offsetMs);
      return slot === undefined ? this.#conceal() : this.#play(slot, nowMs);
    }
  }

  #follow(offsetMs: number) {
    // What came after a drought is later for good.
    const above =
      this.#playing && this.#offsetBeforeStarvingMs === undefined ? Math.max(0, offsetMs - this.#steadyOffsetMs) : 0;
    this.#steadyOffsetMs = above === 0 ? offsetMs : this.#steadyOffsetMs + LATE_PULL_WEIGHT * above;
    this.#playing = true;
    this.#offsetMs = offsetMs;
    this.#offsetBeforeStarvingMs = undefined;
  }

  #starve(): Pull {
    if (this.#playing) {
      this.counters.starved++;
      this.#offsetBeforeStarvingMs ??= this.#offsetMs;
    }
    return this.#wait;
  }

  #stretch(): Pull {
    if (this.#playing) this.counters.stretched++;
    return this.#wait;
  }

  #isEarly(offsetMs: number): boolean {
    const toleranceMs = this.#playing ? (STRETCH_TOLERANCE * this.#packetTicks) / this.#ticksPerMs : 0;
    return offsetMs < this.#estimate.wantedMs - toleranceMs;
  }

  #play(slot: Slot, nowMs: number): Pull {
    this.#packet.payload = slot.payload;
    this.#packet.payloadType = slot.payloadType;
    this.#packet.timestamp = slot.timestamp;
    this.#packet.spareMs = this.#spareMs(nowMs);
    this.counters.played++;
    this.pattern.heard();
    this.#held--;
    this.#nextTicks = slot.ticks + this.#packetTicks;
    this.#step(slot);
    return this.#packet;
  }

  #spareMs(nowMs: number): number {
    const { wantedMs } = this.#estimate;
    const packetMs = this.#packetTicks / this.#ticksPerMs;
    // The next may have been sent long ago.
    const overdueMs = this.#estimate.overdueMs(nowMs - this.#newestTicks / this.#ticksPerMs - packetMs);
    if (overdueMs > 0 && this.#offsetMs < wantedMs + MOST_AHEAD * packetMs) return -overdueMs;
    return this.#held > 1 ? Math.max(0, this.#steadyOffsetMs - wantedMs) : 0;
  }

  #conceal(): Pull {
    this.#countLost();
    this.#lost.durationTicks = this.#packetTicks;
    this.#nextTicks += this.#packetTicks;
    this.#step(undefined);
    const following = this.#ring.waiting(this.#nextSequence);
    const here = following?.state === 'sound';
    this.#lost.following = here ? following.payload : undefined;
    this.#lost.followingType = here ? following.payloadType : 0;
    return this.#lost;
  }

  #countLost() {
    this.counters.lost++;
    this.pattern.lost();
  }

  /** Passes over the next sequence number; the slot remembers that it was here. */
  #step(slot: Slot | undefined) {
    if (slot !== undefined) slot.state = 'done';
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
  }

  /** Passes over what is no sound; the next packet of sound, if it is here. */
  #passOver(): Slot | undefined {
    for (;;) {
      const slot = this.#ring.waiting(this.#nextSequence);
      if (slot?.state !== 'passed') return slot;
      this.#step(slot);
    }
  }

  /** From the next packet to the end of the newest. */
  #contentsMs(): number {
    const startTicks = this.#ring.waiting(this.#nextSequence)?.ticks ?? this.#nextTicks;
    return (this.#newestTicks + this.#packetTicks - startTicks) / this.#ticksPerMs;
  }

  #unwrap(timestamp: number): number {
    // `>>>` reduces modulo 2³², whatever the size and the sign.
    return this.#newestTicks + distance32(timestamp, this.#newestTicks >>> 0);
  }
}
