/** Pages to zones as the device sees them: begun by a button, a call or a command, and what became of them. */
import { resolve } from 'node:path';
import type { Media, MediaEvent, StreamId } from '../media/protocol.ts';
import type { PageZone } from '../paging/zones.ts';
import { done, notNow } from './action-results.ts';
import type { ActionResult, Origin, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';

/** Whose sound a zone is to hear. */
export type PageFrom =
  | { is: 'microphone' }
  | { is: 'file'; file: string }
  | { is: 'call'; stream: StreamId; remote: string };

interface Paging {
  from: PageFrom;
  state: 'asked' | 'heard' | 'ending';
}

export interface ZonePagesParts {
  media: () => Media;
  events: EventLog;
  zones: () => Readonly<Record<string, PageZone>>;
  /** What telephones show of who pages. */
  caller: () => string;
  soundsDirectory: string;
  /** Somebody here is in a call: the microphone is his. */
  callIsUp: () => boolean;
  changed: () => void;
}

export class ZonePages {
  readonly #parts: ZonePagesParts;
  /** Zone → the page to it: one at a time. */
  readonly #pages = new Map<string, Paging>();

  constructor(parts: ZonePagesParts) {
    this.#parts = parts;
  }

  isZone(name: string): boolean {
    return Object.hasOwn(this.#parts.zones(), name);
  }

  /** With a file the page ends with it; else with a second press, `hang up`, or its time. */
  page(zone: string, file: string | undefined, origin: Origin): ActionResult {
    const present = this.#pages.get(zone);
    // Who pages from a call is not cut off by a visitor.
    if (origin === 'button' && present !== undefined && present.from.is !== 'call') return this.#end(zone);
    if (file !== undefined) return this.#begin(zone, { is: 'file', file: resolve(this.#parts.soundsDirectory, file) });
    if (this.#parts.callIsUp()) return notNow('a call is up; the microphone is for that');
    return this.#begin(zone, { is: 'microphone' });
  }

  /** Who is in this call pages; the same keys again end it. */
  fromCall(zone: string, stream: StreamId, remote: string): ActionResult {
    const { from } = this.#pages.get(zone) ?? {};
    if (from?.is === 'call' && from.stream === stream) return this.#end(zone);
    if (this.#ofCall(stream) !== undefined) return notNow('this call pages another zone');
    return this.#begin(zone, { is: 'call', stream, remote });
  }

  #ofCall(stream: StreamId): string | undefined {
    return [...this.#pages].find(([, { from }]) => from.is === 'call' && from.stream === stream)?.[0];
  }

  #begin(zone: string, from: PageFrom): ActionResult {
    const { zones, media, caller, changed } = this.#parts;
    const settings = zones()[zone];
    if (settings === undefined) return notNow(`there is no zone "${zone}"`);
    if (this.#pages.has(zone)) return notNow(`${zone} is being paged; hang up first`);
    this.#pages.set(zone, { from, state: 'asked' });
    const source =
      from.is === 'microphone' ? from.is : from.is === 'file' ? { file: from.file } : { stream: from.stream };
    media().send({ do: 'page', zone: settings, from: source, caller: caller() });
    // Who pages hears the zones perhaps, and they would hear the room: one at a time speaks.
    if (from.is === 'call') media().send({ do: 'mute', stream: from.stream, muted: true });
    changed();
    return done;
  }

  /** Pages to this zone, or all. */
  hangUp(zone?: string): boolean {
    const meant = zone === undefined ? [...this.#pages.keys()] : this.#pages.has(zone) ? [zone] : [];
    for (const each of meant) this.#end(each);
    return meant.length > 0;
  }

  /** A conversation begins: what is said in it is for nobody else. */
  callBegins() {
    for (const [zone, { from }] of this.#pages) if (from.is === 'microphone') this.#end(zone);
  }

  #end(zone: string): ActionResult {
    const page = this.#pages.get(zone)!;
    if (page.state !== 'ending') this.#parts.media().send({ do: 'end page', zone });
    page.state = 'ending';
    return done;
  }

  onMediaEvent(event: MediaEvent) {
    if (event.is !== 'paged') return;
    const { zone, state, forMs, why } = event;
    const page = this.#pages.get(zone);
    if (page === undefined) return;
    const facts = { zone, from: page.from.is, ...(page.from.is === 'call' && { remote: page.from.remote }) };
    if (state === 'started') {
      if (page.state === 'asked') page.state = 'heard';
      this.#parts.events.tell('paging', 'zone paged', facts);
    } else this.#ended(zone, page, { ...facts, seconds: Math.round(forMs / 1000), ...(why !== undefined && { why }) });
    this.#parts.changed();
  }

  #ended(zone: string, { from, state }: Paging, facts: Record<string, unknown>) {
    const { media, events } = this.#parts;
    this.#pages.delete(zone);
    if (from.is === 'call') media().send({ do: 'mute', stream: from.stream, muted: false });
    if (state !== 'asked') return events.tell('paging', 'zone page ended', facts);
    events.tell('paging', 'zone not paged', facts);
    // Who waits for the gong hears that none comes.
    if (from.is === 'file') return;
    media().send({ do: 'play tone', tone: 'refused', at: from.is === 'call' ? { stream: from.stream } : 'here' });
  }

  get active(): boolean {
    return this.#pages.size > 0;
  }

  status(): Status['paging']['sent'] {
    return [...this.#pages].map(([zone, { from }]) => ({
      zone,
      from: from.is,
      ...('remote' in from && { remote: from.remote }),
    }));
  }
}
