/** Automatic gain: brings voices near and far to one loudness, slowly, and leaves silence alone. */
import { rms, saturate } from './frame.ts';

/** Where speech shall be, dB of full scale (root of the mean square while somebody speaks). */
const TARGET_DB = -22;
/** Never more, never less. */
const LIMITS_DB = [-12, 15] as const;
/** Down quicker than up: too loud hurts, too quiet is borne. */
const UP_DB_PER_FRAME = 0.03;
const DOWN_DB_PER_FRAME = 0.1;
/** Speech stands out of the noise by so much, and is louder than this in any case. */
const ABOVE_NOISE_DB = 9;
const LEAST_SPEECH_DB = -50;
/** Nearer to the target than this is near enough. */
const DEAD_BAND_DB = 2;

export class AutomaticGain {
  #db = 0;
  /** Follows loud frames quickly and falls slowly, so that the pauses between words do not count. */
  #speechDb = -100;

  get db() {
    return this.#db;
  }

  /** In place. `noiseDb`: the quiet between words, dB of full scale. `frozen`: this is not the talker here. */
  process(frame: Int16Array, noiseDb: number, frozen: boolean) {
    const from = 10 ** (this.#db / 20);
    const levelDb = 20 * Math.log10(Math.max(1, rms(frame)) / 32_768);
    const speech = !frozen && levelDb > LEAST_SPEECH_DB && levelDb > noiseDb + ABOVE_NOISE_DB;
    if (speech) this.#learn(levelDb);
    const to = 10 ** (this.#db / 20);
    if (from === 1 && to === 1) return;
    const step = (to - from) / frame.length;
    let factor = from;
    for (let index = 0; index < frame.length; index++) {
      factor += step;
      frame[index] = saturate(frame[index]! * factor);
    }
  }

  #learn(levelDb: number) {
    this.#speechDb += (levelDb - this.#speechDb) * (levelDb > this.#speechDb ? 0.2 : 0.02);
    const offDb = TARGET_DB - (this.#speechDb + this.#db);
    if (Math.abs(offDb) < DEAD_BAND_DB) return;
    const [least, most] = LIMITS_DB;
    const step = offDb > 0 ? UP_DB_PER_FRAME : -DOWN_DB_PER_FRAME;
    this.#db = Math.min(most, Math.max(least, this.#db + step));
  }
}
