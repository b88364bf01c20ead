/** Switched half duplex: who speaks is let through and the other way is lowered. Needs no library and no model of the room. */
import { FRAME_MS, rms, saturate } from '../frame.ts';
import type { EchoCanceller } from './canceller.ts';

/** The microphone while the loudspeaker has the word, and the loudspeaker while the microphone has it. */
const MICROPHONE_DB = -45;
const LOUDSPEAKER_DB = -20;
/** A room's reverberation is taken to fall so fast: 60 dB in 400 ms. */
const TAIL_DB_PER_FRAME = (60 * FRAME_MS) / 400;
/** The loudspeaker is silent below this level (dB of full scale), and the microphone hears nobody. */
const SILENCE_DB = -60;
/** The visitor takes the word when the microphone is louder than the echo can be by so much, for so many frames. */
const BREAK_IN_DB = 8;
const BREAK_IN_FRAMES = 4;
/** Who has the word keeps it for so long after the last loud frame. */
const KEEPS_WORD_FRAMES = 20;
/** How loud the echo is against the loudspeaker: taken to be much at first, and then learnt. */
const FIRST_COUPLING_DB = 6;
const COUPLING_LIMITS_DB = [-40, 20] as const;
const LEARN_UP_DB_PER_FRAME = 0.05;
const LEARN_DOWN_DB_PER_FRAME = 0.02;

type Word = 'nobody' | 'loudspeaker' | 'microphone';

const decibels = (level: number) => 20 * Math.log10(Math.max(level, 1) / 32_768);
const factorOf = (db: number) => 10 ** (db / 20);

export class HalfDuplex implements EchoCanceller {
  readonly name = 'half duplex';
  #word: Word = 'nobody';
  #tailDb = -100;
  #couplingDb = FIRST_COUPLING_DB;
  #loudFrames = 0;
  #keeps = 0;
  #factor = 1;

  /** Who has the word now. */
  get word(): Word {
    return this.#word;
  }

  get loudspeakerFactor() {
    return this.#word === 'microphone' ? factorOf(LOUDSPEAKER_DB) : 1;
  }

  process(microphone: Int16Array, loudspeaker: Int16Array) {
    const heardDb = decibels(rms(microphone));
    this.#tailDb = Math.max(decibels(rms(loudspeaker)), this.#tailDb - TAIL_DB_PER_FRAME);
    this.#decide(heardDb);
    this.#fade(microphone, this.#word === 'loudspeaker' ? factorOf(MICROPHONE_DB) : 1);
  }

  #decide(heardDb: number) {
    const playing = this.#tailDb > SILENCE_DB;
    const echoDb = this.#tailDb + this.#couplingDb;
    const speaks = heardDb > SILENCE_DB && heardDb > echoDb + BREAK_IN_DB;
    this.#loudFrames = speaks ? this.#loudFrames + 1 : 0;
    if (this.#word === 'loudspeaker') this.#learn(heardDb, speaks);
    if (this.#keeps > 0) this.#keeps--;
    if (this.#word === 'microphone') {
      if (speaks || (heardDb > SILENCE_DB && !playing)) this.#keeps = KEEPS_WORD_FRAMES;
      if (this.#keeps === 0) this.#word = playing ? 'loudspeaker' : 'nobody';
    } else if (this.#loudFrames >= BREAK_IN_FRAMES) {
      this.#word = 'microphone';
      this.#keeps = KEEPS_WORD_FRAMES;
    } else if (playing) {
      this.#word = 'loudspeaker';
      this.#keeps = KEEPS_WORD_FRAMES;
    } else if (this.#keeps === 0) this.#word = 'nobody';
  }

  /** Towards what this frame says of the room: slowly, since it may be the visitor who speaks. */
  #learn(heardDb: number, speaks: boolean) {
    if (speaks || this.#tailDb <= SILENCE_DB) return;
    const seenDb = heardDb - this.#tailDb;
    const step = seenDb > this.#couplingDb ? LEARN_UP_DB_PER_FRAME : -LEARN_DOWN_DB_PER_FRAME;
    const [least, most] = COUPLING_LIMITS_DB;
    this.#couplingDb = Math.min(most, Math.max(least, this.#couplingDb + step));
  }

  /** Over the frame in even steps, so that a switch is no click. */
  #fade(microphone: Int16Array, target: number) {
    const step = (target - this.#factor) / microphone.length;
    if (step === 0 && target === 1) return;
    let factor = this.#factor;
    for (let index = 0; index < microphone.length; index++) {
      factor += step;
      microphone[index] = saturate(microphone[index]! * factor);
    }
    this.#factor = target;
  }

  close() {}
}
