/**
 * Adaptive jitter buffer: takes packets as the network brings them, gives them in order at the pace of the loudspeaker.
 *
 * Everything is reckoned in offsets: the play position has an RTP time, and `now − RTP time` says how late it is played.
 * `DelayEstimate` says how late it should be. Too early: `wait` stretches. Too late: packets are marked `shrink`.
 */
import { distance16, distance32 } from '../lib/serial.ts';
import { DelayEstimate } from './delay-estimate.ts';
import type { RtpPacket } from './packet.ts';

export interface JitterBufferOptions {
  /** Ticks per second of the RTP timestamp. */
  clockRate: number;
  /** The delay stays between these, counted from the quickest packets. */
  minMs: number;
  maxMs: number;
}

/**
 * `overflow`: the buffer was full, since nobody pulls, and its oldest packets gave way; or the payload is longer than a
 * slot, and was not taken.
 */
export type Push = 'ok' | 'late' | 'duplicate' | 'overflow';

/** The object, and the payload in it, are valid until the next `push` or `pull`. */
export type Pull =
  | {
      is: 'packet';
      payload: Uint8Array;
      payloadType: number;
      timestamp: number;
      /** The buffer holds more than it needs: this packet may be left out, and the next be pulled at once. */
      shrink: boolean;
    }
  /** One packet time was lost. `following` is the payload after it, where it is here already (Opus FEC), in `followingType`. */
  | { is: 'lost'; durationTicks: number; following: Uint8Array | undefined; followingType: number }
  /** Nothing to play yet: the play position stays. Conceal, or be silent, for as long as is convenient, and pull again. */
  | { is: 'wait' };

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

/** Packets; a power of two. At 20 ms two and a half seconds. */
const SLOTS = 128;
/** The longest payload taken, bytes: one Ethernet frame. */
const SLOT_BYTES = 1_500;
/** Packet time until two packets in sequence have shown it, and the longest that is believed. */
const DEFAULT_PACKET_MS = 20;
const MAX_PACKET_MS = 200;
/** The delay before anything is known of the network, within `minMs` and `maxMs`. */
const FIRST_DELAY_MS = 40;
/** Packets before the estimate is believed below FIRST_DELAY_MS. */
const LEARNING_PACKETS = 50;
/** A transit that jumps so far within one packet is a clock that was set or stood still: begin anew. */
const RESTART_JUMP_MS = 1_000;
/** The delay is stretched when it is short by more than this, and shrunk when long by more than that; in packet times. */
const STRETCH_TOLERANCE = 0.5;
const SHRINK_TOLERANCE = 1.5;

interface Slot {
  state: 'empty' | 'sound' | 'passed' | 'played';
  sequence: number;
  /** Unwrapped RTP timestamp. */
  ticks: number;
  timestamp: number;
  payloadType: number;
  bytes: Uint8Array;
  payload: Uint8Array;
}

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
  readonly #ticksPerMs: number;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #estimate = new DelayEstimate();
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => {
    const bytes = new Uint8Array(SLOT_BYTES);
    return { state: 'empty', sequence: 0, ticks: 0, timestamp: 0, payloadType: 0, bytes, payload: bytes };
  });

  readonly #packet = {
    is: 'packet' as const,
    payload: new Uint8Array(0) as Uint8Array,
    payloadType: 0,
    timestamp: 0,
    shrink: false,
  };
  readonly #lost = {
    is: 'lost' as const,
    durationTicks: 0,
    following: undefined as Uint8Array | undefined,
    followingType: 0,
  };
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
  #packets = 0;
  /** Slots in state `sound`, and how many of them lie ahead. */
  #held = 0;
  /** The offset before the buffer ran empty; what is missing after it was concealed meanwhile, as far as this reaches. */
  #offsetBeforeStarvingMs: number | undefined;
  #offsetMs = 0;

  constructor({ clockRate, minMs, maxMs }: JitterBufferOptions) {
    this.#ticksPerMs = clockRate / 1000;
    this.#minMs = minMs;
    this.#maxMs = Math.max(minMs, maxMs);
    this.#packetTicks = DEFAULT_PACKET_MS * this.#ticksPerMs;
  }

  /** Forgets everything but the counters. Also done unasked for a new SSRC, a sequence or a clock that jumps. */
  reset() {
    for (const slot of this.#slots) slot.state = 'empty';
    this.#estimate.reset();
    this.#begun = false;
    this.#playing = false;
    this.#packets = 0;
    this.#held = 0;
    this.#offsetBeforeStarvingMs = undefined;
  }

  /** How much later than the quickest packets sound is played, milliseconds. */
  get delayMs(): number {
    return this.#playing ? Math.max(0, this.#offsetMs - this.#estimate.leastMs) : 0;
  }

  /** The delay striven for, milliseconds. */
  get targetMs(): number {
    return this.#begun ? this.#wantedOffsetMs() - this.#estimate.leastMs : 0;
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
    if (sound && packet.payload.length > SLOT_BYTES) return 'overflow';
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
    const slot = this.#slots[packet.sequence & (SLOTS - 1)]!;
    if (slot.state !== 'empty' && slot.sequence === packet.sequence && ahead >= -SLOTS) {
      this.counters.duplicate++;
      return 'duplicate';
    }
    if (sound) this.#lastTransitMs = transitMs;
    if (ahead < 0 && sound && !this.#playing && distance16(this.#newestSequence, packet.sequence) < SLOTS) {
      // The first to arrive was not the first sent.
      this.#nextSequence = packet.sequence;
      this.#nextTicks = ticks;
      ahead = 0;
    }
    if (ahead < 0) {
      if (!sound) return 'late';
      this.counters.late++;
      this.#estimate.addLate(transitMs);
      return 'late';
    }
    if (sound) {
      this.#packets++;
      this.#estimate.add(transitMs);
    }
    const full = ahead >= SLOTS;
    if (full) this.#makeRoom(ahead - SLOTS + 1);
    this.#store(slot, packet, ticks, sound);
    return full ? 'overflow' : 'ok';
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
    if (jump >= SLOTS || jump < -SLOTS) return true;
    // An event keeps the timestamp of its beginning: it tells nothing of the clock.
    if (jump <= 0 || !sound) return false;
    return Math.abs(nowMs - this.#unwrap(packet.timestamp) / this.#ticksPerMs - this.#lastTransitMs) > RESTART_JUMP_MS;
  }

  #store(slot: Slot, packet: RtpPacket, ticks: number, sound: boolean) {
    slot.state = sound ? 'sound' : 'passed';
    slot.sequence = packet.sequence;
    slot.ticks = ticks;
    slot.timestamp = packet.timestamp;
    slot.payloadType = packet.payloadType;
    if (sound) {
      const { payload } = packet;
      for (let i = 0; i < payload.length; i++) slot.bytes[i] = payload[i]!;
      // The view is made anew only where the length changes: never with G.711.
      if (slot.payload.length !== payload.length) slot.payload = slot.bytes.subarray(0, payload.length);
      this.#held++;
    }
    const step = distance16(packet.sequence, this.#newestSequence);
    if (step <= 0) return;
    this.#newestSequence = packet.sequence;
    if (!sound) return;
    const duration = ticks - this.#newestTicks;
    if (step === 1 && duration > 0 && duration <= MAX_PACKET_MS * this.#ticksPerMs) this.#packetTicks = duration;
    this.#newestTicks = ticks;
  }

  /** Nobody pulls: the oldest give way. */
  #makeRoom(places: number) {
    for (let i = 0; i < places; i++) this.#skip();
  }

  #skip() {
    const slot = this.#slotOf(this.#nextSequence);
    if (slot !== undefined && slot.state === 'sound') {
      this.counters.skipped++;
      this.#held--;
      this.#nextTicks = slot.ticks + this.#packetTicks;
    }
    this.#step(slot);
  }

  /** What is next: one packet time for the decoder. */
  pull(nowMs: number): Pull {
    while (this.#slotOf(this.#nextSequence)?.state === 'passed') this.#step(this.#slotOf(this.#nextSequence));
    if (this.#held === 0) return this.#starve();
    while (this.#contentsTicks() > this.#maxMs * this.#ticksPerMs + this.#packetTicks && this.#held > 1) this.#skip();

    for (;;) {
      const slot = this.#slotOf(this.#nextSequence);
      if (slot?.state === 'passed') {
        this.#step(slot);
        continue;
      }
      if (slot?.state === 'sound') this.#nextTicks = slot.ticks;
      const offsetMs = nowMs - this.#nextTicks / this.#ticksPerMs;
      const starvedMs = this.#offsetBeforeStarvingMs === undefined ? 0 : offsetMs - this.#offsetBeforeStarvingMs;
      if (slot?.state !== 'sound' && starvedMs >= this.#packetTicks / this.#ticksPerMs / 2) {
        // Its time has been concealed already, while the buffer was empty.
        this.counters.lost++;
        this.#nextTicks += this.#packetTicks;
        this.#step(slot);
        continue;
      }
      if (this.#isEarly(offsetMs)) return this.#stretch();
      this.#playing = true;
      this.#offsetMs = offsetMs;
      this.#offsetBeforeStarvingMs = undefined;
      return slot?.state === 'sound' ? this.#play(slot, offsetMs) : this.#conceal(slot);
    }
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
    return offsetMs < this.#wantedOffsetMs() - toleranceMs;
  }

  #wantedOffsetMs(): number {
    const least = this.#estimate.leastMs;
    const firstMs = this.#packets < LEARNING_PACKETS ? Math.max(this.#minMs, FIRST_DELAY_MS) : this.#minMs;
    return Math.min(Math.max(this.#estimate.wantedMs, least + firstMs), least + this.#maxMs);
  }

  #play(slot: Slot, offsetMs: number): Pull {
    const packetMs = this.#packetTicks / this.#ticksPerMs;
    this.#packet.payload = slot.payload;
    this.#packet.payloadType = slot.payloadType;
    this.#packet.timestamp = slot.timestamp;
    this.#packet.shrink = this.#held > 1 && offsetMs > this.#wantedOffsetMs() + SHRINK_TOLERANCE * packetMs;
    this.counters.played++;
    this.#held--;
    this.#nextTicks = slot.ticks + this.#packetTicks;
    this.#step(slot);
    return this.#packet;
  }

  #conceal(slot: Slot | undefined): Pull {
    this.counters.lost++;
    this.#lost.durationTicks = this.#packetTicks;
    this.#nextTicks += this.#packetTicks;
    this.#step(slot);
    const following = this.#slotOf(this.#nextSequence);
    const here = following?.state === 'sound';
    this.#lost.following = here ? following.payload : undefined;
    this.#lost.followingType = here ? following.payloadType : 0;
    return this.#lost;
  }

  /** Passes over the next sequence number; the slot remembers that it was here. */
  #step(slot: Slot | undefined) {
    if (slot !== undefined) slot.state = 'played';
    this.#nextSequence = (this.#nextSequence + 1) & 0xffff;
  }

  #slotOf(sequence: number): Slot | undefined {
    const slot = this.#slots[sequence & (SLOTS - 1)]!;
    return slot.sequence === sequence && slot.state !== 'empty' && slot.state !== 'played' ? slot : undefined;
  }

  #contentsTicks(): number {
    return this.#newestTicks + this.#packetTicks - this.#nextTicks;
  }

  #unwrap(timestamp: number): number {
    // `>>>` reduces modulo 2³², whatever the size and the sign.
    return this.#newestTicks + distance32(timestamp, this.#newestTicks >>> 0);
  }
}
