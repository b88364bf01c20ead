/**
 * Two stages, full duplex: our own filter subtracts the echo and follows the clocks, and the suppressor lowers what is
 * left where the visitor does not speak. What the second sees tells the first when to learn.
 */
import type { EchoCanceller } from './canceller.ts';
import { KalmanFilter } from './kalman.ts';
import { Suppressor } from './suppressor.ts';

export class TwoStage implements EchoCanceller {
  readonly name = 'two stage';
  readonly loudspeakerFactor = 1;
  readonly #filter: KalmanFilter;
  readonly #suppressor: Suppressor;

  constructor(rate: number) {
    [this.#filter, this.#suppressor] = [new KalmanFilter(rate), new Suppressor(rate)];
  }

  /** Its output is so much later than its input. */
  get delaySamples() {
    return this.#suppressor.delaySamples;
  }

  process(microphone: Int16Array, loudspeaker: Int16Array) {
    this.#filter.process(microphone, loudspeaker, this.#suppressor.trust);
    this.#suppressor.process(this.#filter, microphone);
  }

  close() {}
}
