/** What every codec offers: packets of bytes out of samples, samples out of bytes, and sound for what never came. */

export interface Encoder {
  /** Samples per second that `encode` takes. */
  readonly rate: number;
  /**
   * Encodes one packet of `samples` (all of them) into `into`. Returns the bytes written; 0 when there is nothing to send:
   * the codec could not, or it is silent and says so by sending nothing.
   * Neither array is kept.
   */
  encode(samples: Int16Array, into: Uint8Array): number;
  /** So much will be lost on the way, percent: a codec that sends copies makes them for it. Absent: it sends none. */
  expectLoss?(percent: number): void;
  /** Frees what the codec holds outside the heap. */
  close(): void;
}

export interface Decoder {
  /** Samples per second that come out. */
  readonly rate: number;
  /** Decodes one packet. Returns the samples written, or `BAD_PAYLOAD`. `into` holds MAX_PACKET_MS of sound. */
  decode(payload: Uint8Array, into: Int16Array): number;
  /** Invents `samples` samples for a packet that never came. Returns the samples written. */
  conceal(into: Int16Array, samples: number): number;
  /**
   * Recovers the packet before `following` from the copy of it that `following` carries, where the codec has such
   * (RFC 6716 §2.1.7); otherwise conceals. Returns the samples written.
   */
  recover(following: Uint8Array, into: Int16Array, samples: number): number;
  close(): void;
}

/** The payload is not of this codec: damaged, or of a size that cannot be. */
export const BAD_PAYLOAD = -1;
