/** What is played at one place, the loudspeaker or the far end of a call: tones and files, begun and ended softly. */

import type { Cadence } from '../audio/cadence.ts';
import { frameSamples } from '../audio/frame.ts';
import { add } from '../audio/mixer.ts';
import { ToneGenerator } from '../audio/tones.ts';
import type { Wav } from '../audio/wav.ts';
import { WavPlayer } from '../audio/wav-player.ts';

interface Playing {
  /** Fills a frame; false when it was over before it. */
  read(frame: Int16Array): boolean;
  close?(): void;
}

export class Player {
  readonly #rate: number;
  readonly #frame: Int16Array;
  readonly #onPlayed: (id: string, why?: string) => void;
  #tone: Playing | undefined;
  #file: (Playing & { id: string }) | undefined;
  /** What was stopped and fades within one frame. */
  readonly #fading: Playing[] = [];

  constructor(rate: number, onPlayed: (id: string, why?: string) => void) {
    this.#rate = rate;
    this.#frame = new Int16Array(frameSamples(rate));
    this.#onPlayed = onPlayed;
  }

  get playing(): boolean {
    return this.#tone !== undefined || this.#file !== undefined || this.#fading.length > 0;
  }

  /** One tone at a time: a new one takes the place of the old. */
  tone(cadence: Cadence) {
    if (this.#tone) this.#fading.push(this.#tone);
    this.#tone = new ToneGenerator(cadence, this.#rate);
  }

  /** One file at a time, too. */
  file(wav: Wav, id: string) {
    this.#endFile('another file was played');
    const player = new WavPlayer(wav, this.#rate);
    this.#file = { id, read: frame => player.read(frame), close: () => player.close() };
  }

  stop(why: string) {
    if (this.#tone) this.#fading.push(this.#tone);
    this.#tone = undefined;
    this.#endFile(why);
  }

  /** Nothing more will be read of it. */
  close(why: string) {
    this.stop(why);
    for (const fading of this.#fading) fading.close?.();
    this.#fading.length = 0;
  }

  #endFile(why: string) {
    if (this.#file === undefined) return;
    this.#fading.push(this.#file);
    const { id } = this.#file;
    this.#file = undefined;
    this.#onPlayed(id, why);
  }

  /** Fills `frame` with all that plays; false when nothing does, and `frame` is untouched. */
  read(frame: Int16Array): boolean {
    if (!this.playing) return false;
    frame.fill(0);
    while (this.#fading.length > 0) {
      const fading = this.#fading.pop()!;
      if (fading.read(this.#frame)) this.#addFading(frame);
      fading.close?.();
    }
    if (this.#tone) {
      if (this.#tone.read(this.#frame)) add(this.#frame, frame);
      else this.#tone = undefined;
    }
    if (this.#file) {
      const { id } = this.#file;
      if (this.#file.read(this.#frame)) {
        add(this.#frame, frame);
      } else {
        this.#file.close?.();
        this.#file = undefined;
        this.#onPlayed(id);
      }
    }
    return true;
  }

  #addFading(frame: Int16Array) {
    const { length } = frame;
    for (let index = 0; index < length; index++) this.#frame[index]! *= 1 - (index + 1) / length;
    add(this.#frame, frame);
  }
}
