/** What a stream says: the microphone and whoever else is there, or silence, or a tone or file in their place. */
import { frameSamples } from '../audio/frame.ts';
import { Gain, SILENT_DB } from '../audio/gain.ts';
import { add } from '../audio/mixer.ts';
import { Player } from './player.ts';

export class Mouth {
  readonly player: Player;
  muted = false;
  /** The far end is to hear nobody. */
  alone = false;
  /** Closes and opens the microphone softly. */
  readonly #microphone: Gain;
  #closed = false;
  readonly #frame: Int16Array;
  readonly #playerFrame: Int16Array;

  constructor(rate: number, onPlayed: (id: string, why?: string) => void) {
    this.player = new Player(rate, onPlayed);
    this.#microphone = new Gain(rate, 0);
    this.#frame = new Int16Array(frameSamples(rate));
    this.#playerFrame = new Int16Array(frameSamples(rate));
  }

  /** What is said in this frame; valid until the next. */
  frame(microphone: Int16Array): Int16Array {
    const closed = this.muted || this.alone || this.player.playing;
    if (closed !== this.#closed) {
      this.#closed = closed;
      this.#microphone.set(closed ? SILENT_DB : 0);
    }
    this.#microphone.apply(microphone, this.#frame);
    if (this.player.read(this.#playerFrame)) add(this.#playerFrame, this.#frame);
    return this.#frame;
  }

  describe(): string {
    return this.player.playing ? 'player' : this.muted || this.alone ? 'silence' : 'microphone';
  }
}
