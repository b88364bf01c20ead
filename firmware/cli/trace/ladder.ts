/** The ladder of a trace for a terminal of 80 columns: one line of life for the device, one for each peer. Pure. */
import { printAddress } from '../../lib/address.ts';
import { plain, WIDTH } from '../text.ts';
import { factsOf, labelOf } from './facts.ts';
import { maskMessage } from './mask.ts';
import type { Seen } from './seen.ts';

/** Peers side by side; one more takes the place of the one that has been silent for longest. */
const LANE_LIMIT = 3;
/** Columns from one line of life to the next, by the number of peers. */
const LANE_WIDTHS = [26, 26, 20, 17];
/** Where the device's line of life stands: behind the time. */
const DEVICE_COLUMN = 11;
/** Calls that have a number; the oldest gives up its own. */
const NUMBERED_CALLS = 256;

interface Lane {
  peer: string;
  usedAtMs: number;
}

export class Ladder {
  readonly #device: string;
  readonly #full: boolean;
  #lanes: Lane[] = [];
  #startMs: number | undefined;
  readonly #calls = new Map<string, number>();
  #lastCall = 0;

  /** `device`: what stands above its line of life. `full`: each message whole, secrets masked. */
  constructor({ device, full }: { device: string; full: boolean }) {
    this.#device = device;
    this.#full = full;
  }

  /** The lines that a message adds. */
  lines(seen: Seen): string[] {
    this.#startMs ??= seen.atMs;
    const { lane, isNew } = this.#laneOf(seen);
    return [...(isNew ? this.#heading() : []), this.#arrow(seen, lane), ...(this.#full ? whole(seen) : [])];
  }

  #laneOf({ transport, remote, atMs }: Seen): { lane: number; isNew: boolean } {
    const peer = `${printAddress(remote)} ${transport}`;
    const known = this.#lanes.findIndex(lane => lane.peer === peer);
    if (known >= 0) {
      this.#lanes[known]!.usedAtMs = atMs;
      return { lane: known, isNew: false };
    }
    if (this.#lanes.length < LANE_LIMIT) {
      this.#lanes.push({ peer, usedAtMs: atMs });
      return { lane: this.#lanes.length - 1, isNew: true };
    }
    const oldest = this.#lanes.reduce(
      (best, { usedAtMs }, at) => (usedAtMs < this.#lanes[best]!.usedAtMs ? at : best),
      0,
    );
    this.#lanes[oldest] = { peer, usedAtMs: atMs };
    return { lane: oldest, isNew: true };
  }

  /** Where the line of life of a peer stands. */
  #column(lane: number) {
    return DEVICE_COLUMN + (lane + 1) * LANE_WIDTHS[this.#lanes.length]!;
  }

  /** Address, then port and transport, above each line of life. */
  #heading(): string[] {
    const width = LANE_WIDTHS[this.#lanes.length]! - 1;
    const names = this.#lanes.map(({ peer }) => /^(.*):(\d+) (\w+)$/.exec(peer)!.slice(1));
    const rows = [
      [this.#device, ...names.map(([host]) => host!)],
      ['', ...names.map(([, port, transport]) => `${port}/${transport}`)],
    ];
    return rows.map(row => {
      let line = '';
      row.forEach((name, at) => {
        const shown = shorten(name, width);
        const column = at === 0 ? DEVICE_COLUMN : this.#column(at - 1);
        const begins = Math.max(line.length + (at === 0 ? 0 : 1), column - Math.floor(shown.length / 2));
        line = line.padEnd(Math.min(begins, WIDTH - shown.length)) + shown;
      });
      return plain(line.trimEnd());
    });
  }

  #arrow(seen: Seen, lane: number): string {
    const time = ((seen.atMs - this.#startMs!) / 1000).toFixed(3).padStart(9);
    const last = this.#column(this.#lanes.length - 1);
    const row = Array.from({ length: last + 1 }, () => ' ');
    for (const column of [DEVICE_COLUMN, ...this.#lanes.map((_, at) => this.#column(at))]) row[column] = '│';
    const to = this.#column(lane);
    // What says nothing new is drawn thin.
    const isSmall = seen.again || seen.is === 'keep-alive';
    for (let at = DEVICE_COLUMN + 1; at < to; at++) row[at] = isSmall ? (at % 2 === 0 ? '·' : ' ') : '─';
    if (seen.way === 'out') row[to - 1] = isSmall ? '>' : '▶';
    else row[DEVICE_COLUMN + 1] = isSmall ? '<' : '◀';
    const room = this.#column(0) - DEVICE_COLUMN - 5;
    const label = ` ${shorten(plain(labelOf(seen)), room - 1)} `;
    const begins = DEVICE_COLUMN + 3;
    [...label].forEach((character, at) => {
      row[begins + at] = character;
    });
    const number = this.#numberOf(seen);
    const facts = plain([...(number === undefined ? [] : [`#${number}`]), ...factsOf(seen)].join(' · '));
    return `${time} ${row.slice(10).join('')}${facts === '' ? '' : `  ${shorten(facts, WIDTH - last - 3)}`}`.trimEnd();
  }

  /** Calls are counted, so that two at once can be told apart. */
  #numberOf({ call, message, method }: Seen): number | undefined {
    if (call === undefined) return undefined;
    const known = this.#calls.get(call);
    if (known !== undefined || method !== 'INVITE' || message?.kind !== 'request') return known;
    this.#calls.set(call, ++this.#lastCall);
    if (this.#calls.size > NUMBERED_CALLS) this.#calls.delete(this.#calls.keys().next().value!);
    return this.#lastCall;
  }
}

/** The message as it stood on the wire, secrets masked, a little to the right. */
function whole({ bytes, is }: Seen): string[] {
  if (is === 'keep-alive') return [];
  const text = Buffer.from(maskMessage(bytes)).toString('utf8').trimEnd();
  return ['', ...text.split(/\r?\n/).map(line => plain(`    ${line}`).trimEnd()), ''];
}

/** At most so many characters; what is missing in the end shows as `…`. */
export const shorten = (text: string, room: number) => {
  const characters = [...text];
  return characters.length <= room
    ? text
    : `${characters
        .slice(0, Math.max(0, room - 1))
        .join('')
        .trimEnd()}…`;
};
