/** How the losses of a stream lie: alone in gaps, or together in bursts (RFC 3611 §4.7.2). Late packets count as lost. */

/** RFC 3611 §4.7.2 Gmin: so many packets heard in a row end a burst. */
export const GAP_MINIMUM_PACKETS = 16;

export interface Losses {
  /** Heard or lost. */
  packets: number;
  lost: number;
  /** Of all, 0 to 1; and within bursts and gaps. */
  share: number;
  burstDensity: number;
  gapDensity: number;
  /** Mean lengths, packets. */
  burstPackets: number;
  gapPackets: number;
  /** Mean length of losses in a row beside that of losses by chance (ITU-T G.107 BurstR): 1 is chance, more is worse. */
  burstRatio: number;
}

export class LossPattern {
  #heard = 0;
  #lost = 0;
  /** Losses in a row. */
  #runs = 0;
  /** Since the last loss; before the first there was none. */
  #heardInARow = GAP_MINIMUM_PACKETS;
  /** The losses that lie less than a gap apart, and the packets from the first of them to the last. */
  readonly #present = { lost: 0, packets: 0 };
  readonly #bursts = { count: 0, lost: 0, packets: 0 };

  /** A packet came in time. */
  heard() {
    this.#heard++;
    this.#heardInARow++;
  }

  lost() {
    const present = this.#present;
    this.#lost++;
    if (this.#heardInARow > 0) this.#runs++;
    if (this.#heardInARow >= GAP_MINIMUM_PACKETS) {
      this.#endBurst();
      present.lost = 1;
      present.packets = 1;
    } else {
      present.lost++;
      present.packets += this.#heardInARow + 1;
    }
    this.#heardInARow = 0;
  }

  /** A single loss is no burst: it belongs to the gap. */
  #endBurst() {
    if (this.#present.lost < 2) return;
    this.#bursts.count++;
    this.#bursts.lost += this.#present.lost;
    this.#bursts.packets += this.#present.packets;
  }

  /** Until now, the burst that still goes on included. */
  get losses(): Losses {
    const lost = this.#lost;
    const packets = this.#heard + lost;
    const goesOn = this.#present.lost >= 2;
    const bursts = this.#bursts.count + (goesOn ? 1 : 0);
    const inBursts = this.#bursts.packets + (goesOn ? this.#present.packets : 0);
    const lostInBursts = this.#bursts.lost + (goesOn ? this.#present.lost : 0);
    const inGaps = packets - inBursts;
    const share = ratio(lost, packets);
    return {
      packets,
      lost,
      share,
      burstDensity: ratio(lostInBursts, inBursts),
      gapDensity: ratio(lost - lostInBursts, inGaps),
      burstPackets: ratio(inBursts, bursts),
      // A stream begins with a gap, and has one more behind each burst.
      gapPackets: inGaps / (bursts + 1),
      // By chance a row of losses is 1 / (1 − share) long.
      burstRatio: lost === 0 ? 1 : Math.max(1, (lost / this.#runs) * (1 - share)),
    };
  }
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
