/** Whether somebody speaks, frame by frame, for what need not be sent. In doubt somebody does. */
import { FRAME_MS, rms } from './frame.ts';

/** Louder than this is never silence: a steady hum or a tone is sent as it is. Samples. −45 dB of full scale. */
const LOUD_RMS = 184;
/** Speech stands out of the noise by at least so much, as a factor of power. 5 dB. */
const ABOVE_NOISE = 3;
/** The quietest moment of the last so many parts is the noise; each lasts half a second. */
const PARTS = 6;
const PART_FRAMES = 500 / FRAME_MS;
/** The level is that of about so many frames. */
const SMOOTH_FRAMES = 4;
/** Ends of words are soft: it is speech for so long after it. */
const HANGOVER_FRAMES = 300 / FRAME_MS;

export class VoiceActivity {
  readonly #parts = new Float64Array(PARTS).fill(Number.POSITIVE_INFINITY);
  #part = 0;
  #framesInPart = 0;
  #power = Number.NaN;
  #hangover = HANGOVER_FRAMES;

  /** What was heard last, as the root of its mean square. */
  get rms() {
    return Math.sqrt(this.#power);
  }

  /** Takes the next frame. */
  isSpeech(frame: Int16Array): boolean {
    const power = rms(frame) ** 2;
    this.#power = Number.isNaN(this.#power) ? power : this.#power + (power - this.#power) / SMOOTH_FRAMES;
    this.#remember();
    const stands = power > LOUD_RMS ** 2 || power > ABOVE_NOISE * Math.max(1, this.#least());
    this.#hangover = stands ? HANGOVER_FRAMES : Math.max(0, this.#hangover - 1);
    return this.#hangover > 0;
  }

  #least() {
    let least = Number.POSITIVE_INFINITY;
    for (const part of this.#parts) if (part < least) least = part;
    return least;
  }

  #remember() {
    if (this.#framesInPart === 0) this.#parts[this.#part] = this.#power;
    this.#parts[this.#part] = Math.min(this.#parts[this.#part]!, this.#power);
    if (++this.#framesInPart < PART_FRAMES) return;
    this.#framesInPart = 0;
    this.#part = (this.#part + 1) % PARTS;
  }
}
