/** Tones by meaning, those of the network and the device's own signals: made from a table, without clicks. */
import { type Cadence, type Part, partial, pause } from './cadence.ts';
import { type NetworkTones, networkTones } from './network-tones.ts';
import { softEdge } from './soft-edge.ts';

/** What a tone means; what it sounds like is in the tables. */
export type Tone = keyof NetworkTones | 'ring' | 'answered' | 'page' | 'refused' | 'hangup';

/** Each part swells and fades for so long at its ends: a tone that begins at full strength clicks. */
const RAMP_MS = 5;

export type Country = keyof typeof networkTones;
export const countries = Object.keys(networkTones) as Country[];

const isCountry = (name: string): name is Country => Object.hasOwn(networkTones, name);

/** A struck bar: the note and the weak overtone that makes it metal. */
const struck = (hz: number, ms: number): Part => ({
  ms,
  decayMs: 200,
  partials: [partial(hz, -9), partial(hz * 2.76, -27)],
});
const note = (hz: number, ms: number): Part => ({ ms, partials: [partial(hz, -12)] });

/** Our own, the same in every country. Rising: yes. Falling: no. */
const ownTones: Record<Exclude<Tone, keyof NetworkTones>, Cadence> = {
  ring: {
    repeats: true,
    parts: [...[1, 2, 3, 4, 5].flatMap(() => [note(880, 100), note(1109, 100)]), pause(3000)],
  },
  answered: { repeats: false, parts: [note(659, 90), pause(20), note(988, 140)] },
  // Short: whoever speaks does not wait for it.
  page: { repeats: false, parts: [struck(784, 180), struck(659, 180), struck(523, 440)] },
  refused: { repeats: false, parts: [note(440, 150), pause(60), note(440, 150), pause(60), note(330, 350)] },
  hangup: { repeats: false, parts: [note(659, 120), pause(30), note(440, 180)] },
};

/** The tone's table entry; a country that is not in the table has the tones of `eu`. */
export function toneOf(name: Tone, country: string): Cadence {
  if (name in ownTones) return ownTones[name as keyof typeof ownTones];
  return networkTones[isCountry(country) ? country : 'eu'][name as keyof NetworkTones];
}

/** Plays one cadence, a frame at a time. */
export class ToneGenerator {
  readonly #cadence: Cadence;
  readonly #rate: number;
  #part = 0;
  /** Samples into the part. */
  #at = 0;
  /** Has no pause: it swells once, and where it begins again nothing is heard of that. */
  readonly #isSteady: boolean;
  #again = false;

  constructor(cadence: Cadence, rate: number) {
    this.#cadence = cadence;
    this.#rate = rate;
    this.#isSteady = cadence.repeats && cadence.parts.length === 1;
  }

  /** Fills `frame`; false when the tone was over before it, and the frame is silence. */
  read(frame: Int16Array): boolean {
    const began = this.#part < this.#cadence.parts.length;
    for (let index = 0; index < frame.length; index++) frame[index] = this.#next();
    return began;
  }

  #next(): number {
    const part = this.#cadence.parts[this.#part];
    if (part === undefined) return 0;
    const length = Math.round((part.ms * this.#rate) / 1000);
    const at = this.#at++;
    if (this.#at >= length) {
      this.#at = 0;
      this.#part++;
      if (this.#cadence.repeats && this.#part === this.#cadence.parts.length) {
        this.#part = 0;
        this.#again = true;
      }
    }
    const seconds = at / this.#rate;
    let value = 0;
    for (const { hz, amplitude } of part.partials) value += amplitude * Math.sin(2 * Math.PI * hz * seconds);
    return Math.round(value * this.#envelope(part, at, length));
  }

  #envelope(part: Part, at: number, length: number): number {
    if (this.#isSteady && (this.#again || at > length / 2)) return 1;
    const ramp = (RAMP_MS * this.#rate) / 1000;
    const edge = Math.min(1, (at + 1) / ramp, (length - at) / ramp);
    const soft = softEdge(edge);
    return part.decayMs === undefined ? soft : soft * Math.exp((-1000 * at) / (this.#rate * part.decayMs));
  }
}
