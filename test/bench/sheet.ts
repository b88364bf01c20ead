/** What a benchmark writes down: figures with their spread, those of a peer beside them, and what could not be had. */

/** Half of the values lie below `median`, 99 of 100 below `p99` (given from 100 values on). */
export interface Spread {
  count: number;
  median: number;
  min: number;
  max: number;
  p99?: number;
}

export interface Figure extends Spread {
  name: string;
  unit: string;
  /** The same, measured of other software in the same run. Our median over theirs; of decibels, ours less theirs. */
  peers?: readonly (Spread & { name: string; ratio?: number; difference?: number })[];
  /** What else should be known of it. */
  note?: string;
}

/** An empty list of values: it could not be measured. */
export interface Peer {
  name: string;
  values: readonly number[];
}

export type Row = Figure | { name: string; unavailable: string } | { name: string; failed: string };

export interface Entry {
  name: string;
  /** How it was measured. */
  how: string;
  figures: readonly Row[];
  /** Nothing of it can be measured on this machine. */
  unavailable?: string;
  /** It should have been measured and was not. */
  failed?: string;
  /** Time that it took. Seconds. */
  seconds: number;
}

/** This machine lacks what is needed: no failure. */
export class Unavailable extends Error {}

export class Sheet {
  readonly rows: Row[] = [];
  readonly #progress: (line: string) => void;

  constructor(progress: (line: string) => void) {
    this.#progress = progress;
  }

  tell(what: string) {
    this.#progress(what);
  }

  add(
    name: string,
    unit: string,
    values: readonly number[],
    more: { peer?: Peer; peers?: readonly Peer[]; note?: string } = {},
  ) {
    const figure: Figure = { name, unit, ...spread(values) };
    const peers = (more.peers ?? [more.peer]).filter(peer => peer !== undefined && peer.values.length > 0);
    if (peers.length > 0) {
      figure.peers = peers.map(peer => {
        const theirs = median(peer!.values);
        const beside =
          unit === 'dB'
            ? { difference: rounded(median(values) - theirs) }
            : theirs > 0 && { ratio: rounded(median(values) / theirs) };
        return { name: peer!.name, ...spread(peer!.values), ...beside };
      });
    }
    if (more.note !== undefined) figure.note = more.note;
    this.rows.push(figure);
    const beside = figure.peers?.map(peer => `, ${peer.name} ${peer.median}`) ?? [];
    this.#progress(`${name}: ${figure.median} ${unit}${beside.join('')}`);
  }

  unavailable(name: string, why: string) {
    this.rows.push({ name, unavailable: why });
    this.#progress(`${name}: unavailable, ${why}`);
  }

  /** It should have been measured, and what came of it is no figure; the others go on. */
  failed(name: string, why: string) {
    this.rows.push({ name, failed: why });
    this.#progress(`${name}: failed, ${why}`);
  }
}

/** Throws where there are no values: a figure of nothing would be a lie. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = values.toSorted((one, other) => one - other);
  const result: Spread = {
    count: sorted.length,
    median: rounded(median(sorted)),
    min: rounded(sorted[0]!),
    max: rounded(sorted.at(-1)!),
  };
  if (sorted.length >= 100) result.p99 = rounded(sorted[Math.ceil(sorted.length * 0.99) - 1]!);
  return result;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three digits that count: more would pretend. */
export function rounded(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
