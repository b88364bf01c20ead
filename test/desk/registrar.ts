/** A small registrar: challenges with digest, keeps bindings while they last, tells where a user is (RFC 3261 §10.3). */
import type { Clock } from '../../firmware/lib/clock.ts';
import type { Random } from '../../firmware/lib/random.ts';
import type { HeaderFields } from '../../firmware/sip/contracts.ts';
import { sequenceOf } from '../../firmware/sip/dialog/dialog.ts';
import type { Algorithm } from '../../firmware/sip/digest/response.ts';
import { DigestServer } from '../../firmware/sip/digest/server.ts';
import { isMalformed } from '../../firmware/sip/message/message.ts';
import { type NameAddress, parseNameAddress } from '../../firmware/sip/message/name-addr.ts';
import { parseUri, type SipUri, sameUri } from '../../firmware/sip/message/uri.ts';
import type { ServerTransaction } from '../../firmware/sip/transaction/server.ts';

/** Bindings of one user. */
const bindingLimit = 8;
const nonceLifetimeMs = 300_000;

export interface RegistrarSettings {
  realm: string;
  /** Who may register: user → password. */
  passwords: Readonly<Record<string, string>>;
  /** Offered in this order. */
  algorithms?: readonly Algorithm[];
  /** Shorter is refused with 423. Seconds. */
  leastS?: number;
  /** Longer is cut. Seconds. */
  mostS?: number;
  onRegistered?: (user: string, contact: string) => void;
  onUnregistered?: (user: string, contact: string) => void;
}

interface Binding {
  contact: string;
  uri: SipUri;
  callId: string;
  sequence: number;
  untilMs: number;
}

export class Registrar {
  readonly #clock: Clock;
  readonly #settings: RegistrarSettings;
  readonly #leastS: number;
  readonly #mostS: number;
  readonly #digest: DigestServer;
  readonly #bindings = new Map<string, Binding[]>();

  constructor({ clock, random }: { clock: Clock; random: Random }, settings: RegistrarSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#leastS = settings.leastS ?? 10;
    this.#mostS = settings.mostS ?? 3_600;
    const { realm, passwords, algorithms = ['SHA-256', 'MD5'] } = settings;
    const secretOf = (user: string) => (Object.hasOwn(passwords, user) ? { password: passwords[user]! } : undefined);
    this.#digest = new DigestServer({ realm, algorithms, nonceLifetimeMs, secretOf }, clock, random);
  }

  /** Where a user can be called: the newest binding that has not expired. */
  contactFor(user: string): string | undefined {
    return this.contactsOf(user).at(-1);
  }

  contactsOf(user: string): string[] {
    return this.#alive(user).map(({ contact }) => contact);
  }

  stop() {
    this.#bindings.clear();
  }

  /** Answers a REGISTER: `userAgent.onRequest('REGISTER', transaction => registrar.serve(transaction))`. */
  serve(transaction: ServerTransaction) {
    const { headers, body } = transaction.request;
    const verdict = this.#digest.verify(headers.all('Authorization'), 'REGISTER', body);
    if (verdict.is === 'malformed') return transaction.respond(400, { reason: verdict.why });
    if (verdict.is !== 'ok') {
      const challenges = this.#digest.challenges(verdict.is === 'stale');
      const fields: HeaderFields = challenges.map(challenge => ['WWW-Authenticate', challenge] as const);
      return transaction.respond(401, { headers: fields });
    }
    const to = parseNameAddress(headers.get('To')!);
    const aor = isMalformed(to) ? to : parseUri(to.uri);
    // Step 5: nobody registers for somebody else.
    if (isMalformed(aor) || aor.user !== verdict.username) return transaction.respond(403);
    return this.#update(transaction, verdict.username);
  }

  /** Steps 6 to 8: all of it, or nothing. */
  #update(transaction: ServerTransaction, user: string) {
    const { request } = transaction;
    const { headers } = request;
    const values = headers.all('Contact');
    const sequence = sequenceOf(request);
    const callId = headers.get('Call-ID')!;
    let bindings = this.#alive(user);
    const outOfOrder = bindings.some(binding => binding.callId === callId && binding.sequence >= sequence);
    if (outOfOrder && values.length > 0) return transaction.respond(500, { reason: 'CSeq out of order' });

    const added: Binding[] = [];
    if (values.includes('*')) {
      if (values.length > 1 || headers.get('Expires') !== '0') {
        return transaction.respond(400, { reason: 'Contact of * needs Expires of 0' });
      }
      bindings = [];
    } else {
      for (const value of values) {
        const contact = parseNameAddress(value);
        const uri = isMalformed(contact) ? contact : parseUri(contact.uri);
        if (isMalformed(contact) || isMalformed(uri)) return transaction.respond(400, { reason: 'Bad Contact' });
        const seconds = this.#secondsFor(contact, headers.get('Expires'));
        if (seconds > 0 && seconds < this.#leastS) {
          return transaction.respond(423, { headers: [['Min-Expires', String(this.#leastS)]] });
        }
        bindings = bindings.filter(binding => !sameUri(binding.uri, uri));
        const untilMs = this.#clock.now() + 1000 * seconds;
        if (seconds > 0) added.push({ contact: contact.uri, uri, callId, sequence, untilMs });
      }
    }
    this.#replace(user, [...bindings, ...added].slice(-bindingLimit));
    return transaction.respond(200, { headers: this.#list(user) });
  }

  #replace(user: string, bindings: Binding[]) {
    const before = this.#alive(user).map(({ contact }) => contact);
    const after = bindings.map(({ contact }) => contact);
    this.#bindings.set(user, bindings);
    for (const gone of before.filter(contact => !after.includes(contact))) this.#settings.onUnregistered?.(user, gone);
    for (const here of after.filter(contact => !before.includes(contact))) this.#settings.onRegistered?.(user, here);
  }

  #list(user: string): HeaderFields {
    const nowMs = this.#clock.now();
    return this.#alive(user).map(
      ({ contact, untilMs }) => ['Contact', `<${contact}>;expires=${Math.ceil((untilMs - nowMs) / 1000)}`] as const,
    );
  }

  #alive(user: string): Binding[] {
    return (this.#bindings.get(user) ?? []).filter(({ untilMs }) => untilMs > this.#clock.now());
  }

  #secondsFor({ parameters }: NameAddress, expires: string | undefined): number {
    const asked = parameters.expires ?? expires;
    // §10.2.1.1: what cannot be read counts as 3600.
    const seconds = typeof asked === 'string' && /^\d{1,10}$/.test(asked) ? Number(asked) : 3_600;
    return Math.min(seconds, this.#mostS);
  }
}
