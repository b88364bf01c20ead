/** What a tone is made of: frequencies that sound together, for how long, and what follows. */

export interface Partial {
  hz: number;
  /** Peak, sample steps. */
  amplitude: number;
}

export interface Part {
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

/** Network tones go to the ear of a caller: −15 dBFS leaves them beside speech. */
const NETWORK_DBFS = -15;

export const partial = (hz: number, dbfs: number): Partial => ({ hz, amplitude: 32_767 * 10 ** (dbfs / 20) });
export const pause = (ms: number): Part => ({ partials: [], ms });

/** One frequency, or some at once: two together are as loud as one alone. */
export const sounding = (...hz: number[]): readonly Partial[] =>
  hz.map(each => partial(each, NETWORK_DBFS - (hz.length > 1 ? 3 : 0)));

/** A frequency that swells and fades so many times a second, by 85 %: the carrier and its two side bands. */
export const modulated = (hz: number, by: number): readonly Partial[] => [
  partial(hz, NETWORK_DBFS - 3),
  partial(hz - by, NETWORK_DBFS - 10.4),
  partial(hz + by, NETWORK_DBFS - 10.4),
];

/** The same at 10 dB less. */
export const fainter = (partials: readonly Partial[]): readonly Partial[] =>
  partials.map(({ hz, amplitude }) => ({ hz, amplitude: amplitude / Math.sqrt(10) }));

/** On and off in turn, from a plain list of times: ITU-T E.180 Supplement 2 prints them so. */
export const cadence = (partials: readonly Partial[], ...onOffMs: number[]): Cadence => ({
  repeats: true,
  parts: onOffMs.map((ms, index) => (index % 2 === 0 ? { partials, ms } : pause(ms))),
});

/** Without a pause. All frequencies are whole numbers of hertz, so that a second of it goes on into the next. */
export const steady = (partials: readonly Partial[]): Cadence => ({ repeats: true, parts: [{ partials, ms: 1000 }] });
