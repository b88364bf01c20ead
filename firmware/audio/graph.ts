/** The sound's ways through the device, as they are now, in the notation in which one would draw them. */

/** A place that sound passes: its name and what is worth knowing of it (`opus 16 kHz`, `buffer 60 ms`). */
export interface Node {
  name: string;
  /** Read when the graph is printed. */
  detail?(): string;
}

/** One way from a source to a sink. */
export type Chain = readonly Node[];

/** `mic 16 kHz → gain 0 dB → opus → rtp 192.0.2.7:4000`, one line a chain. */
export function printGraph(chains: readonly Chain[]): string {
  return chains
    .map(chain => chain.map(({ name, detail }) => (detail ? `${name} ${detail()}` : name)).join(' → '))
    .join('\n');
}
