/** The doors of the building: names, their relays, how long they open. */
import type { Board } from '../../hal/contracts.ts';
import { Relay } from '../io/relay.ts';
import type { Clock } from '../lib/clock.ts';
import { done, unknownName } from './action-results.ts';
import type { ActionResult, Origin, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';

export interface DoorSettings {
  relay: string;
  openFor: number;
  codes: readonly string[];
}

export class Doors {
  readonly #relays = new Map<string, Relay>();
  readonly #settings: () => Readonly<Record<string, DoorSettings>>;
  readonly #clock: Clock;
  readonly #board: Board;
  readonly #events: EventLog;
  readonly #changed: () => void;

  constructor(parts: {
    clock: Clock;
    board: Board;
    events: EventLog;
    settings: () => Readonly<Record<string, DoorSettings>>;
    changed: () => void;
  }) {
    this.#clock = parts.clock;
    this.#board = parts.board;
    this.#events = parts.events;
    this.#settings = parts.settings;
    this.#changed = parts.changed;
  }

  /** Takes each door's relay; from here on it rests at its safe level. */
  start() {
    for (const [door, { relay }] of Object.entries(this.#settings())) this.#take(door, relay);
  }

  /** The line of this output could be had after all. */
  mended(line: string) {
    for (const [door, { relay }] of Object.entries(this.#settings()))
      if (relay === line && this.#relays.has(door)) this.#take(door, relay);
  }

  #take(door: string, line: string) {
    const relay = new Relay(this.#clock, this.#board.output(line), event => {
      if (event.is === 'closed') this.#events.tell('door', 'unlocked', { door, forMs: event.forMs });
      else if (event.is === 'opened') this.#events.tell('door', 'locked', { door });
      else this.#events.tell('door', 'fault', { door, why: event.why });
      this.#changed();
    });
    this.#relays.set(door, relay);
    relay.start();
  }

  stop() {
    for (const relay of this.#relays.values()) relay.stop();
    this.#relays.clear();
  }

  /** `remote`: who asked, where that was somebody in a call. */
  open(door: string, origin: Origin, remote?: string): ActionResult {
    const settings = this.#settings()[door];
    const relay = this.#relays.get(door);
    if (settings === undefined || relay === undefined) return unknownName('door', door, [...this.#relays.keys()]);
    this.#events.tell('door', 'opening', { door, origin, remote });
    const fault = relay.pulse(settings.openFor);
    if (fault === undefined) return done;
    return { done: false, code: 'failed', why: `the relay of ${door} did not close: ${fault}` };
  }

  get anyUnlocked(): boolean {
    return [...this.#relays.values()].some(relay => relay.active);
  }

  status(): Status['doors'] {
    return Object.fromEntries(
      [...this.#relays].map(([door, relay]) => [
        door,
        { relay: relay.fault !== undefined ? 'fault' : relay.active ? 'energised' : 'at rest', unlocked: relay.active },
      ]),
    );
  }
}
