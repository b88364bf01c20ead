/** The REGISTERs of one registration: whom they ask, for what, and what a refusal teaches about that (RFC 3261 §10.2). */
import type { Account } from './account.ts';
import { AskedExpiry } from './asked-expiry.ts';
import type { Core } from './core.ts';
import { firstHop, makeRequest, newCallId } from './dialog/request.ts';
import { Exchange } from './exchange.ts';
import type { Hop } from './hop.ts';
import type { Request, Response } from './message/message.ts';
import { Redirects } from './session/redirects.ts';

/** What the last REGISTER said of us, once it is known which of our addresses it left from. */
export interface Sent {
  contact: string;
  local: Hop;
}

export interface BindingHandler {
  onAnswer(response: Response, sent: Sent): void;
  onFailure(why: string): void;
}

export class RegistrationRequests {
  /** How long the registrar is to keep our binding. */
  readonly expiry: AskedExpiry;
  /** The number of this way (RFC 5626 §4.2). Absent: outbound is not spoken. */
  readonly regId: number | undefined;
  readonly #core: Core;
  readonly #account: Account;
  readonly #callId: string;
  readonly #fromTag: string;
  #sequence = 0;
  /** Where to register: elsewhere for once, where a 3xx says so (§8.1.3.4). */
  #registrar: string;
  #redirects: Redirects;
  /** A proxy on the way knows nothing of flows (439). */
  #lacksOutbound = false;

  constructor(core: Core, account: Account, regId: number | undefined) {
    this.#core = core;
    this.#account = account;
    this.regId = regId;
    // §10.2: one Call-ID and growing numbers for all registrations of a boot.
    this.#callId = newCallId(core.random);
    this.#fromTag = core.random.token(8);
    this.expiry = new AskedExpiry(account.settings.expiresMs);
    this.#registrar = account.registrar;
    this.#redirects = new Redirects(this.#registrar, 1);
  }

  get asksForFlow() {
    return this.regId !== undefined && !this.#lacksOutbound;
  }

  /** Asks to be reached at our address of now. `bound`: the Contact that the registrar has of us. */
  bind(bound: string | undefined, { onAnswer, onFailure }: BindingHandler): Exchange {
    let sent: Sent | undefined;
    return this.#send({
      prepare: ({ headers }, local) => {
        const contact = this.#account.contact(local);
        sent = { contact, local };
        headers.set('Contact', this.#contactValue(contact));
        // Our address has changed: the binding of the old one would ring nobody. That of a flow is replaced by itself.
        if (bound !== undefined && bound !== contact && !this.#account.hasFlow) {
          headers.add('Contact', `<${bound}>;expires=0`);
        }
        headers.set('Expires', this.expiry.seconds);
      },
      onResponse: response => {
        if (response.status >= 200) onAnswer(response, sent!);
      },
      onFailure,
      impatient: this.#isFollowed,
    });
  }

  /** Another account registers where this one cannot: a registrar that says nothing is waited for like any server. */
  get #isFollowed() {
    const { serialRegistration = false, accounts } = this.#core.settings;
    const last = accounts.findLast(({ register }) => register);
    return serialRegistration && last?.id !== this.#account.settings.id;
  }

  /** Takes the binding back (§10.2.2); `done` is called when that has been answered or has failed. */
  unbind(bound: string | undefined, done: () => void) {
    this.#send({
      prepare: ({ headers }, local) => {
        headers.set('Contact', this.#contactValue(bound ?? this.#account.contact(local)));
        headers.set('Expires', '0');
      },
      onResponse: ({ status }) => {
        if (status >= 200) done();
      },
      onFailure: done,
    });
  }

  /** Whether a refusal says how to ask instead, in a way not tried yet: it is then asked at once. */
  learnsFrom(refusal: Response): boolean {
    if (this.expiry.lengthens(refusal)) return true;
    const elsewhere = this.#redirects.next(refusal);
    if (elsewhere !== undefined) {
      this.#registrar = elsewhere;
      return true;
    }
    // RFC 5626 §11.5, where we are the one to go on without.
    if (refusal.status !== 439 || !this.asksForFlow) return false;
    this.#lacksOutbound = true;
    return true;
  }

  /** The attempt has failed: the next one begins at the account's own registrar. */
  startOver() {
    this.#registrar = this.#account.registrar;
    this.#redirects = new Redirects(this.#registrar, 1);
    this.expiry.settled();
  }

  /** RFC 5626 §4.2: which device, and by which of its ways. */
  #contactValue(uri: string) {
    const { instanceId } = this.#core.settings;
    return this.asksForFlow ? `<${uri}>;+sip.instance="<${instanceId}>";reg-id=${this.regId}` : `<${uri}>`;
  }

  #send(steps: {
    prepare(request: Request, local: Hop): void;
    onResponse(response: Response): void;
    onFailure(why: string): void;
    impatient?: boolean;
  }): Exchange {
    const account = this.#account;
    const request = makeRequest({
      method: 'REGISTER',
      uri: this.#registrar,
      from: `${account.from};tag=${this.#fromTag}`,
      to: `<${account.settings.aor}>`,
      callId: this.#callId,
      sequence: ++this.#sequence,
      account,
      // RFC 3327 §4.1: proxies on the way may note themselves.
      headers: [['Supported', this.asksForFlow ? 'path, outbound' : 'path']],
    });
    return new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account,
      nextSequence: () => ++this.#sequence,
      keepsConnection: true,
      ...steps,
    }).start();
  }
}
