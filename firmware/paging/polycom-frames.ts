/**
 * From Polycom packets to frames with sequence numbers, as RTP has them. A packet carries the frame before its own too,
 * so that one lost packet costs nothing. How long a frame is, no packet says, and senders differ (10 and 20 ms): the
 * first two packets of a page tell.
 */
import { add16, distance32 } from '../lib/serial.ts';

/** Bytes in a millisecond of sound: all three codecs have 64 kbit/s (RFC 3551 §4.5). A byte is a tick of an 8 kHz clock. */
const BYTES_PER_MS = 8;
/** Milliseconds of sound in a frame: nobody sends other than 10 or 20. */
const SHORTEST_MS = 5;
const LONGEST_MS = 60;
/** A sample count that jumps so many frames is a new count, not a loss. */
const JUMP_FRAMES = 100;

export class PolycomFrames {
  readonly #give: (sequence: number, frame: Uint8Array) => void;
  /** 0: not known yet. */
  #frameBytes = 0;
  /** By how much the sample count grows in a frame: G.722 is counted at 8 or at 16 kHz. */
  #step = 0;
  readonly #first = new Uint8Array(2 * LONGEST_MS * BYTES_PER_MS);
  #firstBytes = 0;
  #samples = 0;
  #sequence = 0;
  #given = 0;

  /** `give` may be told of a frame twice. */
  constructor(give: (sequence: number, frame: Uint8Array) => void) {
    this.#give = give;
  }

  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** A new page. */
  reset() {
    this.#frameBytes = 0;
    this.#firstBytes = 0;
    this.#given = 0;
  }

  /** False where the payload cannot be one or two frames. */
  take(samples: number, payload: Uint8Array): boolean {
    if (payload.length % BYTES_PER_MS !== 0 || payload.length > this.#first.length) return false;
    if (this.#frameBytes === 0 && !this.#learn(samples, payload)) return this.#firstBytes > 0;
    const frameBytes = this.#frameBytes;
    const frames = payload.length / frameBytes;
    if (frames !== 1 && frames !== 2) return false;
    let ahead = Math.round(distance32(samples, this.#samples) / this.#step);
    if (Math.abs(ahead) > JUMP_FRAMES) {
      this.reset();
      ahead = 1;
      this.#frameBytes = frameBytes;
    }
    const sequence = add16(this.#sequence, ahead);
    if (frames === 2 && (ahead !== 1 || this.#given === 0))
      this.#give(add16(sequence, -1), payload.subarray(0, frameBytes));
    this.#give(sequence, frames === 2 ? payload.subarray(frameBytes) : payload);
    this.#given++;
    if (ahead > 0) {
      this.#samples = samples;
      this.#sequence = sequence;
    }
    return true;
  }

  /** From the second packet on: true. */
  #learn(samples: number, payload: Uint8Array): boolean {
    const first = this.#first.subarray(0, this.#firstBytes);
    const half = payload.length / 2;
    const before = payload.subarray(0, half);
    const whole = first.length === half && same(first, before);
    const repeated = first.length === payload.length && same(first.subarray(half), before);
    const grown = distance32(samples, this.#samples);
    const known = first.length > 0 && grown > 0;
    this.#samples = samples;
    this.#first.set(payload);
    this.#firstBytes = payload.length;
    if (!known) return false;
    const frameBytes = whole || repeated || first.length === half ? half : payload.length;
    if (frameBytes < SHORTEST_MS * BYTES_PER_MS || frameBytes > LONGEST_MS * BYTES_PER_MS) return false;
    this.#frameBytes = frameBytes;
    // Where it carries the first one's frame, it is the next: that says what a frame counts.
    this.#step = whole || repeated ? grown : frameBytes;
    this.#samples = (samples - this.#step) >>> 0;
    return true;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
