/**
 * When a new configuration is taken over: at once where that disturbs nobody, otherwise as soon as nobody is in a call, on
 * the way through a door, or paging a zone, and nothing is being recorded.
 */
import type { Clock } from '../../hal/contracts.ts';
import { changesBetween } from '../config/changes.ts';
import type { Needs } from '../config/field.ts';
import type { Config } from '../config/schema.ts';
import type { EventLog } from './event-log.ts';

export interface ConfigTakeoverParts {
  clock: Clock;
  events: EventLog;
  /** The one in use. */
  config(): Config;
  /** Why the parts may not be stopped now; undefined where they may. */
  inUse(): string | undefined;
  /** Takes over what needs no new start. */
  use(config: Config): void;
  /** The parts stop; `start` has them start with this one. */
  halt(): Promise<void>;
  start(config: Config): void;
  changed(): void;
  /** The configuration is to be looked at now: asked for over SIP, and nobody is disturbed. */
  onCheck(): void;
}

/** Changes that stop and start the parts below. */
const DISTURBING: readonly Needs[] = [
  're-register',
  'restart sip',
  'restart media',
  'restart lines',
  'restart process',
];

export class ConfigTakeover {
  readonly #parts: ConfigTakeoverParts;
  /** It waits until nobody is disturbed. The newest counts. */
  #pending: Config | undefined;
  #checkAsked = false;
  #restarting: Promise<void> | undefined;
  #ended = false;

  constructor(parts: ConfigTakeoverParts) {
    this.#parts = parts;
  }

  /** Takes a checked configuration over. */
  apply(config: Config) {
    const { events, use, inUse, changed } = this.#parts;
    this.#pending = undefined;
    const changes = changesBetween(this.#parts.config(), config);
    const paths = changes.map(({ path }) => path);
    const why = inUse();
    if (this.#restarting !== undefined) {
      this.#pending = config;
    } else if (changes.every(({ needs }) => !DISTURBING.includes(needs))) {
      use(config);
      events.tell('config', 'applied', { paths });
      changed();
    } else if (why !== undefined) {
      this.#pending = config;
      events.tell('config', 'waiting', { paths, why });
    } else {
      this.#restarting = this.#restart(config, paths);
    }
  }

  /** Somebody who may has asked for a look at the configuration. */
  askForCheck() {
    this.#checkAsked = true;
    this.#parts.changed();
  }

  /** What had to be waited for may be over. */
  look() {
    const { clock, inUse, onCheck } = this.#parts;
    if (inUse() !== undefined) return;
    if (this.#pending !== undefined)
      clock.after(0, () => this.#pending && this.apply(this.#pending), 'apply configuration');
    if (!this.#checkAsked) return;
    this.#checkAsked = false;
    clock.after(0, onCheck, 'check asked for');
  }

  /** Resolves when no start is under way any more, nor will be. */
  async stop() {
    this.#ended = true;
    await this.#restarting;
  }

  /** The parts stop and start anew, in this process. What comes meanwhile is taken over afterwards. */
  async #restart(config: Config, paths: string[]) {
    const { events, halt, start, changed } = this.#parts;
    await halt();
    this.#restarting = undefined;
    if (this.#ended) return;
    start(config);
    events.tell('config', 'applied', { paths });
    changed();
  }
}
