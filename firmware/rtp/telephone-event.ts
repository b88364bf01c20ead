/** Keys as named events in RTP (RFC 4733): the sender of one key, and the receiver that makes one key of its many packets. */
import { add32, distance32 } from '../lib/serial.ts';

/** Event codes 0 … 15 (RFC 4733 §3.2). */
const KEYS = '0123456789*#ABCD';

const TELEPHONE_EVENT_BYTES = 4;
/** What the 16-bit duration can hold; a longer event goes on in a new segment (§2.5.1.3). */
const MAX_DURATION_TICKS = 0xffff;
/** The last packet is sent this often (§2.5.1.4). */
const END_PACKETS = 3;
/** −10 dBm0 in the payload's positive terms: loud and undistorted, within the 0 … 36 of §2.3.4. */
const DEFAULT_VOLUME = 10;
/** An event whose end never came is taken for ended after this long without a packet of it. */
export const EVENT_TIMEOUT_MS = 300;
/** A next segment begins where the longest duration ends; senders that count in whole packets stop this much short. */
const SEGMENT_SLACK_MS = 100;
/** Event blocks in one packet (§2.5.1.5) that are read. */
const MAX_BLOCKS = 8;
/** A timestamp this far back is a sender that began anew, not a packet that lost its way. */
const MAX_REORDER_MS = 10_000;

/** True for a character that can be sent as an event; lower-case a … d are keys too. */
export const isKey = (character: string): boolean => character.length === 1 && KEYS.includes(character.toUpperCase());

export interface EventPacket {
  payload: Uint8Array;
  marker: boolean;
  /** Of the beginning of the event or of its segment. */
  timestamp: number;
  /** The key is over: this packet repeats its end, and sound may be sent again after the last of them. */
  end: boolean;
}

/** Sends one key at a time. Step it once each packet time instead of sending sound. */
export class TelephoneEventSender {
  readonly #packetTicks: number;
  readonly #volume: number;
  readonly #packet: EventPacket = {
    payload: new Uint8Array(TELEPHONE_EVENT_BYTES),
    marker: false,
    timestamp: 0,
    end: false,
  };
  #event = 0;
  #remainingTicks = 0;
  #durationTicks = 0;
  #ends = 0;
  #first = false;

  /** `packetTicks`: the packet time in ticks of the payload's clock. `volume`: 0 … 63, −dBm0. */
  constructor(packetTicks: number, volume = DEFAULT_VOLUME) {
    this.#packetTicks = packetTicks;
    this.#volume = Math.min(63, Math.max(0, volume));
  }

  get busy(): boolean {
    return this.#ends > 0;
  }

  /** Begins a key that lasts `durationTicks`, at the media clock's `timestamp`. Throws for what is no key. */
  start(key: string, durationTicks: number, timestamp: number) {
    if (!isKey(key)) throw new RangeError(`'${key}' is not a key`);
    this.#event = KEYS.indexOf(key.toUpperCase());
    this.#remainingTicks = Math.max(durationTicks, this.#packetTicks);
    this.#durationTicks = 0;
    this.#ends = END_PACKETS;
    this.#first = true;
    this.#packet.timestamp = timestamp;
  }

  /** The packet of this packet time, or undefined when no key is being sent. The object is reused. */
  step(): EventPacket | undefined {
    if (this.#ends === 0) return undefined;
    const packet = this.#packet;
    packet.marker = this.#first;
    this.#first = false;
    if (this.#remainingTicks > 0) this.#grow();
    packet.end = this.#remainingTicks === 0;
    if (packet.end) this.#ends--;

    packet.payload[0] = this.#event;
    packet.payload[1] = (packet.end ? 0x80 : 0) | this.#volume;
    packet.payload[2] = this.#durationTicks >> 8;
    packet.payload[3] = this.#durationTicks;
    return packet;
  }

  #grow() {
    const ticks = Math.min(this.#packetTicks, this.#remainingTicks);
    if (this.#durationTicks + ticks > MAX_DURATION_TICKS) {
      this.#packet.timestamp = add32(this.#packet.timestamp, this.#durationTicks);
      this.#durationTicks = 0;
    }
    this.#durationTicks += ticks;
    this.#remainingTicks -= ticks;
  }
}

/** Hears of each key once, however many of its packets were lost, repeated or late. */
export class TelephoneEventReceiver {
  readonly #ticksPerMs: number;
  readonly #onKey: (key: string, durationMs: number) => void;
  /** An event has been heard since `reset`, and its segment began at `#timestamp`. */
  #begun = false;
  #reported = true;
  /** Its end packet has been here. */
  #ended = false;
  #event = 0;
  #timestamp = 0;
  #durationTicks = 0;
  /** Of the segments before the present one. */
  #earlierTicks = 0;
  #heardAtMs = 0;

  constructor(clockRate: number, onKey: (key: string, durationMs: number) => void) {
    this.#ticksPerMs = clockRate / 1000;
    this.#onKey = onKey;
  }

  /** For a new source. A key without its end is reported first. */
  reset() {
    this.#report();
    this.#begun = false;
  }

  /** An event packet. False where it is malformed. */
  receive(payload: Uint8Array, timestamp: number, nowMs: number): boolean {
    if (payload.length < TELEPHONE_EVENT_BYTES) return false;
    const blocks = Math.min(MAX_BLOCKS, Math.floor(payload.length / TELEPHONE_EVENT_BYTES));
    let startsAt = timestamp;
    for (let i = 0; i < blocks; i++) {
      const at = i * TELEPHONE_EVENT_BYTES;
      const durationTicks = (payload[at + 2]! << 8) | payload[at + 3]!;
      this.#block(payload[at]!, payload[at + 1]! >= 0x80, durationTicks, startsAt, nowMs);
      // §2.5.1.5: each block begins where the one before it ended.
      startsAt = add32(startsAt, durationTicks);
    }
    return true;
  }

  #block(event: number, end: boolean, durationTicks: number, timestamp: number, nowMs: number) {
    if (event >= KEYS.length) return;
    const ahead = this.#begun ? distance32(timestamp, this.#timestamp) : 1;
    if (ahead < 0 && ahead > -MAX_REORDER_MS * this.#ticksPerMs) return;
    if (ahead !== 0) {
      if (this.#continues(event, ahead)) this.#earlierTicks += ahead;
      else this.#begin(event);
      this.#timestamp = timestamp;
      this.#durationTicks = 0;
    }
    this.#ended ||= end;
    if (this.#reported) return;
    this.#heardAtMs = nowMs;
    this.#durationTicks = Math.max(this.#durationTicks, durationTicks);
    if (end) this.#report();
  }

  /** §2.5.1.3: the same key, without an end, where the longest duration has been used up. */
  #continues(event: number, ahead: number): boolean {
    if (!this.#begun || event !== this.#event) return false;
    // A key reported for want of its end may yet go on: it stays the same key.
    const least = MAX_DURATION_TICKS - SEGMENT_SLACK_MS * this.#ticksPerMs;
    return !this.#ended && ahead >= least && ahead <= MAX_DURATION_TICKS + 1;
  }

  #begin(event: number) {
    this.#report();
    this.#begun = true;
    this.#reported = false;
    this.#event = event;
    this.#earlierTicks = 0;
    this.#ended = false;
  }

  #report() {
    if (this.#reported) return;
    this.#reported = true;
    this.#onKey(KEYS[this.#event]!, (this.#earlierTicks + this.#durationTicks) / this.#ticksPerMs);
  }

  /** Call at every frame: ends a key whose end was lost. */
  tick(nowMs: number) {
    if (!this.#reported && nowMs - this.#heardAtMs >= EVENT_TIMEOUT_MS) this.#report();
  }
}
