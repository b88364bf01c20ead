/** Where voices of several calls meet: each hears all the others, and never itself. */
import { saturate } from './frame.ts';
import { Mixer } from './mixer.ts';

export class Bridge {
  readonly #mixer: Mixer;
  readonly #frame: Int16Array;

  constructor(frameSamples: number) {
    this.#mixer = new Mixer(frameSamples);
    this.#frame = new Int16Array(frameSamples);
  }

  /** A new frame begins: nobody has said anything. */
  clear() {
    this.#mixer.clear();
  }

  /** Everybody's voice, before anybody is asked what he hears. */
  add(voice: Int16Array) {
    this.#mixer.add(voice);
  }

  /** The microphone and all voices but `own` (undefined: it has said nothing). Valid until the next call. */
  without(own: Int16Array | undefined, microphone: Int16Array): Int16Array {
    const { sum } = this.#mixer;
    const frame = this.#frame;
    for (let at = 0; at < frame.length; at++) frame[at] = saturate(microphone[at]! + sum[at]! - (own?.[at] ?? 0));
    return frame;
  }
}
