/** Places for packets by sequence number, made with the first of them: where the jitter buffer keeps what has come and not been played. */
import type { RtpPacket } from './packet.ts';

/** Packets; a power of two. At 20 ms two and a half seconds. */
export const RING_PACKETS = 128;
/** The longest payload kept, bytes: one Ethernet frame. */
export const RING_PAYLOAD_BYTES = 1_500;

export interface Slot {
  /** `passed`: came, but is no sound. `done`: came, and has been played or passed over. */
  state: 'empty' | 'sound' | 'passed' | 'done';
  sequence: number;
  /** Unwrapped RTP timestamp. */
  ticks: number;
  timestamp: number;
  payloadType: number;
  /** The whole place, and the part of it that is filled. */
  bytes: Uint8Array;
  payload: Uint8Array;
}

export class PacketRing {
  /** None until the first packet comes: many a call is over before, or sends another codec than that of this buffer. */
  #slots: readonly Slot[] = [];

  clear() {
    for (const slot of this.#slots) slot.state = 'empty';
  }

  /** Undefined: nothing has come yet. */
  #place(sequence: number): Slot | undefined {
    return this.#slots[sequence & (RING_PACKETS - 1)];
  }

  /** True where this packet came before, whatever became of it. */
  has(sequence: number): boolean {
    const slot = this.#place(sequence);
    return slot !== undefined && slot.state !== 'empty' && slot.sequence === sequence;
  }

  /** The packet, where it has come and is still to be played or passed over. */
  waiting(sequence: number): Slot | undefined {
    const slot = this.#place(sequence);
    if (slot === undefined || slot.sequence !== sequence) return undefined;
    return slot.state === 'sound' || slot.state === 'passed' ? slot : undefined;
  }

  store(packet: RtpPacket, ticks: number, sound: boolean) {
    if (this.#slots.length === 0) this.#slots = makeSlots();
    const slot = this.#place(packet.sequence)!;
    slot.state = sound ? 'sound' : 'passed';
    slot.sequence = packet.sequence;
    slot.ticks = ticks;
    slot.timestamp = packet.timestamp;
    slot.payloadType = packet.payloadType;
    if (!sound) return;
    const { payload } = packet;
    for (let i = 0; i < payload.length; i++) slot.bytes[i] = payload[i]!;
    // The view is made anew only where the length changes: never with G.711.
    if (slot.payload.length !== payload.length) slot.payload = slot.bytes.subarray(0, payload.length);
  }
}

/** All in one piece of memory: each piece is work for the collector. */
function makeSlots(): Slot[] {
  const all = new Uint8Array(RING_PACKETS * RING_PAYLOAD_BYTES);
  return Array.from({ length: RING_PACKETS }, (_, index) => {
    const bytes = all.subarray(index * RING_PAYLOAD_BYTES, (index + 1) * RING_PAYLOAD_BYTES);
    return { state: 'empty', sequence: 0, ticks: 0, timestamp: 0, payloadType: 0, bytes, payload: bytes };
  });
}
