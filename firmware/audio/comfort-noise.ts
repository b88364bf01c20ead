/** Soft noise while the other side is silent and sends none: as loud as it says (RFC 3389 §3.1), its spectrum left flat. */
import { saturate } from './frame.ts';

/** Of a sample: no silence is louder than speech, whatever a peer says. -30 dBov. */
const LOUDEST_RMS = 1036;
const OVERLOAD_RMS = 32_767;
/** The share of the way to a new level that each sample goes: no step is heard. */
const GLIDE = 1 / 256;

export class ComfortNoise {
  /** A linear congruential generator: noise need not be beyond guessing. */
  #state = 1;
  #rms = 0;
  #wantedRms = 0;

  /** `payload`: its first byte is the level below overload, dB; what follows would shape the spectrum. False: not one. */
  set(payload: Uint8Array): boolean {
    const level = payload[0];
    if (level === undefined || level > 127) return false;
    this.#wantedRms = Math.min(LOUDEST_RMS, OVERLOAD_RMS * 10 ** (-level / 20));
    return true;
  }

  /** Fills the first `count` samples. */
  fill(into: Int16Array, count: number) {
    for (let index = 0; index < count; index++) {
      this.#rms += (this.#wantedRms - this.#rms) * GLIDE;
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
      // Evenly spread within ±1 it has an RMS of 1/√3.
      into[index] = saturate(Math.round((this.#state / 2 ** 31) * Math.sqrt(3) * this.#rms));
    }
  }
}
