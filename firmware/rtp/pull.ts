/** What a buffer of packets says to each packet, and gives when it is asked; a buffer uses the same objects again and again. */

/**
 * `overflow`: the buffer was full, since nobody pulls, and its oldest packets gave way; or the payload is longer than a
 * place, and was not taken.
 */
export type Push = 'ok' | 'late' | 'duplicate' | 'overflow';

/** The object, and the payload in it, are valid until the next `push` or `pull`. */
export type Pull =
  | {
      is: 'packet';
      payload: Uint8Array;
      payloadType: number;
      timestamp: number;
      /**
       * So much more than need be is held: the packet may be made shorter by that, and the next be pulled the sooner.
       * Negative: what comes after it is overdue by so much, and it had better be made longer.
       */
      spareMs: number;
    }
  /** One packet time was lost. `following` is the payload after it, where it is here already (Opus FEC), in `followingType`. */
  | { is: 'lost'; durationTicks: number; following: Uint8Array | undefined; followingType: number }
  /**
   * Nothing to play yet: the play position stays. Conceal, or be silent, for so long or, where it is not said, as long as
   * is convenient, and pull again.
   */
  | { is: 'wait'; forMs?: number };

export const packetPull = () => ({
  is: 'packet' as const,
  payload: new Uint8Array(0) as Uint8Array,
  payloadType: 0,
  timestamp: 0,
  spareMs: 0,
});

export const lostPull = () => ({
  is: 'lost' as const,
  durationTicks: 0,
  following: undefined as Uint8Array | undefined,
  followingType: 0,
});
