/** Pages by multicast as the device sees them: their events, their relays, their groups. The media thread hears them. */
import type { Board, Clock } from '../../hal/contracts.ts';
import type { Config } from '../config/schema.ts';
import { Relay } from '../io/relay.ts';
import { nothingCounted } from '../media/page-counters.ts';
import type { GroupReport, MediaEvent } from '../media/protocol.ts';
import type { Level } from '../paging/levels.ts';
import type { Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';

/**
 * A relay is on for so long after it was last heard that its page goes on, which is said every 20 s: it does not stay on
 * for the page of a media thread that has died. Milliseconds.
 */
const HELD_MS = 50_000;

export interface PagingParts {
  clock: Clock;
  board: Board;
  events: EventLog;
  settings: () => Config['paging'];
  changed: () => void;
}

export class Paging {
  readonly #parts: PagingParts;
  /** Output → its relay. Levels may share one. */
  readonly #relays = new Map<string, Relay>();
  /** Group → the page of it that is heard. */
  readonly #heard = new Map<string, { level: Level; from: string; caller?: string }>();
  #groups: Record<string, GroupReport> = {};

  constructor(parts: PagingParts) {
    this.#parts = parts;
  }

  /** Takes the relays; from here on they rest at their safe level. */
  start() {
    for (const { relay } of Object.values(this.#parts.settings().levels))
      if (relay !== undefined && !this.#relays.has(relay)) this.#take(relay);
  }

  /** The line of this output could be had after all. */
  mended(line: string) {
    if (this.#relays.has(line)) this.#take(line);
  }

  #take(relay: string) {
    const { board, clock, events } = this.#parts;
    const made = new Relay(clock, board.output(relay), event => {
      if (event.is === 'fault') events.tell('paging', 'fault', { relay, why: event.why });
    });
    this.#relays.set(relay, made);
    made.start();
  }

  stop() {
    for (const relay of this.#relays.values()) relay.stop();
    this.#relays.clear();
  }

  onMediaEvent(event: MediaEvent) {
    if (event.is === 'report') this.#groups = event.groups;
    else if (event.is === 'group') this.#joined(event.group, event.why);
    else if (event.is === 'page') this.#page(event);
    // The thread has died, and its pages with it.
    else if (event.is === 'ready') this.#forget();
  }

  #joined(group: string, why: string | undefined) {
    const wasRefused = this.#groups[group]?.why !== undefined;
    this.#groups[group] = { ...(this.#groups[group] ?? { counters: nothingCounted() }), why };
    if (why !== undefined) this.#parts.events.tell('paging', 'not joined', { group, why });
    else if (wasRefused) this.#parts.events.tell('paging', 'joined', { group });
    this.#parts.changed();
  }

  #page({ state, group, level, source: from, caller, forMs, why }: Extract<MediaEvent, { is: 'page' }>) {
    const facts = { group, level, from, ...(caller !== undefined && { caller }) };
    switch (state) {
      case 'started':
        this.#heard.set(group, { level, from, ...(caller !== undefined && { caller }) });
        this.#parts.events.tell('paging', 'page started', facts);
        break;
      case 'ended':
        this.#heard.delete(group);
        this.#parts.events.tell('paging', 'page ended', { ...facts, seconds: Math.round(forMs / 1000) });
        break;
      case 'ignored':
        this.#parts.events.tell('paging', 'page ignored', { ...facts, why });
        break;
      case 'goes on':
        break;
    }
    this.#moveRelays();
    if (state !== 'goes on') this.#parts.changed();
  }

  #moveRelays() {
    const { levels } = this.#parts.settings();
    const wanted = new Set([...this.#heard.values()].map(({ level }) => levels[level].relay));
    for (const [name, relay] of this.#relays) {
      if (wanted.has(name)) relay.pulse(HELD_MS);
      else relay.rest();
    }
  }

  #forget() {
    const why = 'the media thread has ended';
    for (const [group, page] of this.#heard) this.#parts.events.tell('paging', 'page ended', { group, ...page, why });
    this.#heard.clear();
    this.#groups = {};
    this.#moveRelays();
  }

  /** Pages that are heard now. */
  get pages(): Status['paging']['pages'] {
    return [...this.#heard].map(([group, page]) => ({ group, ...page }));
  }

  status(): Omit<Status['paging'], 'sent'> {
    const groups = Object.keys(this.#parts.settings().groups).map(name => {
      const { why, counters = nothingCounted() } = this.#groups[name] ?? {};
      return [name, { ...(why !== undefined && { why }), ...counters }] as const;
    });
    return { pages: this.pages, groups: Object.fromEntries(groups) };
  }
}
