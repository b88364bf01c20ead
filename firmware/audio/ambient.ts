/** How loud the place is while nobody speaks, and how much louder the loudspeaker should be for it. */
import { FRAME_MS, rms } from './frame.ts';

/** The quietest moment of the last so many parts is the noise; each part lasts this long. */
const PARTS = 6;
const PART_FRAMES = 1000 / FRAME_MS;
/** A level is that of about so many frames: single quiet ones happen by chance. */
const SMOOTH_FRAMES = 8;
/** What the loudspeaker plays is still in the room for so long. */
const TAIL_FRAMES = 40;
/** The loudspeaker is silent below this, dB of full scale. */
const SILENCE_DB = -65;
/** The loudspeaker's gain goes to its place at this speed. */
const DB_PER_FRAME = (2 * FRAME_MS) / 1000;

const decibels = (power: number) => 10 * Math.log10(Math.max(power, 1) / 32_768 ** 2);

export interface NoiseFollowing {
  /** The loudspeaker is raised by at most so much. 0: never. */
  upToDb: number;
  /** A place this loud is quiet: from here on the loudspeaker rises by a decibel for each. dB of full scale. */
  quietDb: number;
}

export class Ambient {
  readonly #following: NoiseFollowing;
  readonly #parts = new Float64Array(PARTS).fill(Number.POSITIVE_INFINITY);
  /** Of them all; infinite until one is measured. */
  #least = Number.POSITIVE_INFINITY;
  #part = 0;
  #framesInPart = 0;
  #power = Number.NaN;
  #sinceLoudspeaker = TAIL_FRAMES;
  #raisedDb = 0;

  constructor(following: NoiseFollowing) {
    this.#following = following;
  }

  /** Undefined until it was quiet once. dB of full scale. */
  get noiseDb(): number | undefined {
    return this.#least === Number.POSITIVE_INFINITY ? undefined : decibels(this.#least);
  }

  /** The loudspeaker is heard in the room. */
  get isPlaying() {
    return this.#sinceLoudspeaker < TAIL_FRAMES;
  }

  /** What the loudspeaker gets on top, dB. */
  get raisedDb() {
    return this.#raisedDb;
  }

  /** What the microphone heard, before noise is taken out of it, and what was played meanwhile. */
  hear(microphone: Int16Array, loudspeaker: Int16Array) {
    const playing = decibels(rms(loudspeaker) ** 2) > SILENCE_DB;
    this.#sinceLoudspeaker = playing ? 0 : this.#sinceLoudspeaker + 1;
    if (!this.isPlaying) this.#measure(rms(microphone) ** 2);
    this.#rise();
  }

  #measure(power: number) {
    this.#power = Number.isNaN(this.#power) ? power : this.#power + (power - this.#power) / SMOOTH_FRAMES;
    const parts = this.#parts;
    if (this.#framesInPart === 0) {
      parts[this.#part] = this.#power;
      this.#least = Number.POSITIVE_INFINITY;
      for (let part = 0; part < PARTS; part++) this.#least = Math.min(this.#least, parts[part]!);
    } else if (this.#power < parts[this.#part]!) {
      parts[this.#part] = this.#power;
      this.#least = Math.min(this.#least, this.#power);
    }
    if (++this.#framesInPart < PART_FRAMES) return;
    this.#framesInPart = 0;
    this.#part = (this.#part + 1) % PARTS;
  }

  #rise() {
    const { upToDb, quietDb } = this.#following;
    if (upToDb === 0) return;
    const targetDb = Math.min(upToDb, Math.max(0, (this.noiseDb ?? quietDb) - quietDb));
    const offDb = targetDb - this.#raisedDb;
    this.#raisedDb += Math.min(DB_PER_FRAME, Math.max(-DB_PER_FRAME, offDb));
  }
}
