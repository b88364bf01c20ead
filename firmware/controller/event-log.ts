/** Everything that happened, told once to whoever listens: numbered, stamped, never retained. */
import type { WallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceEvent } from './contracts.ts';

/** Types that somebody should look into. */
const WARNINGS = new Set([
  'fault',
  'line fault',
  'stuck',
  'down',
  'socket failed',
  'registration failed',
  'sound failed',
  'refused',
  'auto-answer refused',
  'wrong code',
  'locked out',
  'not joined',
]);

export class EventLog {
  readonly session: string;
  readonly #wallClock: WallClock;
  readonly #log: Log;
  readonly #listeners = new Set<(event: DeviceEvent) => void>();
  #seq = 0;

  constructor(session: string, wallClock: WallClock, log: Log) {
    this.session = session;
    this.#wallClock = wallClock;
    this.#log = log;
  }

  tell(source: DeviceEvent['source'], type: string, facts: Record<string, unknown> = {}) {
    const ts = new Date(this.#wallClock()).toISOString();
    const event: DeviceEvent = { seq: ++this.#seq, session: this.session, ts, source, type, ...facts };
    this.#log[WARNINGS.has(type) ? 'warn' : 'info'](`${source} ${type}`, facts);
    for (const listener of this.#listeners) listener(event);
  }

  listen(listener: (event: DeviceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
