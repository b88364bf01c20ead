/** Whether the contacts that are watched can be called: one subscription each, for as long as the configuration says. */
import type { Config } from '../config/schema.ts';
import type { Body, SipUserAgent } from '../sip/contracts.ts';
import type { SubscriptionState } from '../sip/event/contracts.ts';
import { availabilityIn, DialogReader, dialogTypes, presenceTypes } from '../sip/event/reading.ts';
import type { ContactStatus } from './contracts.ts';
import type { EventLog } from './event-log.ts';

export interface WatchedContactsParts {
  userAgent: SipUserAgent;
  events: EventLog;
  contacts: () => Config['contacts'];
  changed: () => void;
}

/** How long a subscription is asked to last. Milliseconds. */
const expiresMs = 600_000;

interface Watched {
  /** What is watched and how: another one is another subscription. */
  what: string;
  status: ContactStatus;
  end(): void;
}

export class WatchedContacts {
  readonly #parts: WatchedContactsParts;
  readonly #watched = new Map<string, Watched>();

  constructor(parts: WatchedContactsParts) {
    this.#parts = parts;
  }

  /** Watches what the configuration says now, and nothing else. */
  update() {
    const contacts = this.#parts.contacts();
    for (const [name, { what, end }] of this.#watched) {
      if (contacts[name] !== undefined && whatOf(contacts[name]) === what) continue;
      end();
      this.#watched.delete(name);
    }
    for (const [name, contact] of Object.entries(contacts))
      if (contact.watch !== undefined && !this.#watched.has(name)) this.#watch(name, contact, contact.watch);
  }

  status(): Record<string, ContactStatus> {
    return Object.fromEntries([...this.#watched].map(([name, { status }]) => [name, status]));
  }

  #watch(name: string, contact: Config['contacts'][string], event: 'presence' | 'dialog') {
    const watched: Watched = { what: whatOf(contact), status: { is: 'unknown', why: 'not heard of yet' }, end() {} };
    this.#watched.set(name, watched);
    const parsed = this.#parts.userAgent.targetUri(contact.uri, contact.account);
    if ('kind' in parsed) {
      watched.status = { is: 'unknown', why: `${contact.uri} cannot be asked: ${parsed.why}` };
      return;
    }
    const reader = new DialogReader();
    const read = (body: Body) => (event === 'dialog' ? reader.read(body) : availabilityIn(body));
    const { account } = contact;
    watched.end = this.#parts.userAgent.subscribe(
      {
        target: contact.uri,
        ...(account !== undefined && { account }),
        event,
        accept: event === 'dialog' ? dialogTypes : presenceTypes,
        expiresMs,
      },
      {
        onState: state => this.#stateOf(name, watched, state),
        onNotify: (body, isFirst) => {
          if (isFirst) reader.reset();
          if (body !== undefined) this.#tell(name, watched, { is: read(body) });
        },
      },
    );
  }

  /** While it can be heard, the documents say how things are; where it cannot, nobody knows. */
  #stateOf(name: string, watched: Watched, state: SubscriptionState) {
    if (state.is === 'failed') {
      const status = state.status === undefined ? '' : `${state.status} `;
      this.#tell(name, watched, { is: 'unknown', why: `${status}${state.why}` });
    } else if (state.is === 'pending') this.#tell(name, watched, { is: 'unknown', why: 'waiting to be allowed' });
  }

  #tell(name: string, watched: Watched, status: ContactStatus) {
    const before = watched.status;
    watched.status = status;
    if (before.is === status.is && before.why === status.why) return;
    const { events, changed } = this.#parts;
    if (before.is !== status.is) events.tell('sip', 'contact', { contact: name, is: status.is, why: status.why });
    changed();
  }
}

const whatOf = ({ watch, uri, account }: Config['contacts'][string]) => `${watch} ${uri} ${account}`;
