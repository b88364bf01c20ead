/** Call progress tones by country, and the device's own signals: made from a table, without clicks. */

/** What a tone means; what it sounds like is in the tables below. */
export type Tone = 'waiting' | 'ringback' | 'busy' | 'congestion' | 'ring' | 'answered' | 'page' | 'refused' | 'hangup';

interface Partial {
  hz: number;
  /** Peak, sample steps. */
  amplitude: number;
}

interface Part {
  /** Sounding together; none is a pause. */
  partials: readonly Partial[];
  ms: number;
  /** Dies away like a struck bar, to 1/e after this time; absent: steady. */
  decayMs?: number;
}

export interface Cadence {
  parts: readonly Part[];
  /** True: over and over until stopped. False: once. */
  repeats: boolean;
}

/** Each part swells and fades for so long at its ends: a tone that begins at full strength clicks. */
const RAMP_MS = 5;

/** Network tones go to the ear of a caller: −15 dBFS leaves them beside speech. */
const NETWORK_DBFS = -15;

const partial = (hz: number, dbfs: number): Partial => ({ hz, amplitude: 32_767 * 10 ** (dbfs / 20) });
const pause = (ms: number): Part => ({ partials: [], ms });
const tone = (ms: number, ...hz: number[]): Part => ({
  ms,
  // Two together are as loud as one alone.
  partials: hz.map(each => partial(each, NETWORK_DBFS - (hz.length > 1 ? 3 : 0))),
});
/** On and off in turn, from a plain list of times: ITU-T E.180 Supplement 2 prints them so. */
const cadence = (hz: readonly number[], ...onOffMs: number[]): Cadence => ({
  repeats: true,
  parts: onOffMs.map((ms, index) => (index % 2 === 0 ? tone(ms, ...hz) : pause(ms))),
});

type NetworkTones = Record<'ringback' | 'busy' | 'congestion' | 'waiting', Cadence>;

/** ITU-T E.180 Supplement 2 (01/94); `eu` after ETSI TR 101 041-2, which most of Europe follows. */
const networkTones = {
  eu: {
    ringback: cadence([425], 1000, 4000),
    busy: cadence([425], 500, 500),
    congestion: cadence([425], 250, 250),
    waiting: cadence([425], 200, 200, 200, 9000),
  },
  de: {
    ringback: cadence([425], 1000, 4000),
    busy: cadence([425], 480, 480),
    congestion: cadence([425], 240, 240),
    waiting: cadence([425], 200, 200, 200, 5000),
  },
  fr: {
    ringback: cadence([440], 1500, 3500),
    busy: cadence([440], 500, 500),
    congestion: cadence([440], 250, 250),
    waiting: cadence([440], 300, 10_000),
  },
  uk: {
    ringback: cadence([400, 450], 400, 200, 400, 2000),
    busy: cadence([400], 375, 375),
    congestion: cadence([400], 400, 350, 225, 525),
    waiting: cadence([400], 100, 3000),
  },
  us: {
    ringback: cadence([440, 480], 2000, 4000),
    busy: cadence([480, 620], 500, 500),
    congestion: cadence([480, 620], 250, 250),
    waiting: cadence([440], 300, 9700),
  },
} satisfies Record<string, NetworkTones>;

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

  constructor(cadence: Cadence, rate: number) {
    this.#cadence = cadence;
    this.#rate = rate;
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
      if (this.#cadence.repeats && this.#part === this.#cadence.parts.length) this.#part = 0;
    }
    const seconds = at / this.#rate;
    let value = 0;
    for (const { hz, amplitude } of part.partials) value += amplitude * Math.sin(2 * Math.PI * hz * seconds);
    return Math.round(value * this.#envelope(part, at, length));
  }

  #envelope(part: Part, at: number, length: number): number {
    const ramp = (RAMP_MS * this.#rate) / 1000;
    const edge = Math.min(1, (at + 1) / ramp, (length - at) / ramp);
    // A raised cosine: the ramp itself has no corners.
    const soft = 0.5 - 0.5 * Math.cos(Math.PI * edge);
    return part.decayMs === undefined ? soft : soft * Math.exp((-1000 * at) / (this.#rate * part.decayMs));
  }
}
