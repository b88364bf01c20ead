/** Tells a presence server how we are: PUBLISH, its refresh, and patience when it does not listen (RFC 3903 §4). */
import type { Account } from '../account.ts';
import { AskedExpiry } from '../asked-expiry.ts';
import type { Core } from '../core.ts';
import { firstHop, makeRequest, newCallId, setBody } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';
import { fromOf, privacyOf } from '../identity.ts';
import type { Response } from '../message/message.ts';
import { reasonPhrase } from '../message/status.ts';
import type { Facts } from './package.ts';
import { expiryOf, Patience, refreshAfter } from './patience.ts';
import { presencePackage } from './presence.ts';
import { leastPauseMs } from './served-subscription.ts';

const askedMs = 600_000;
/** Not every device of the site in one instant. Milliseconds. */
const spreadMs = 2_000;

export class Publication {
  readonly #core: Core;
  #account: Account;
  readonly #facts: () => Facts;
  readonly #patience: Patience;
  readonly #callId: string;
  readonly #from: string;
  #sequence = 0;
  readonly #expiry = new AskedExpiry(askedMs);
  /** What the server knows our state by (§4.1). */
  #tag: string | undefined;
  /** What it was told last; undefined where it knows nothing. */
  #told: string | undefined;
  #exchange: Exchange | undefined;
  #state: 'waiting' | 'resting' | 'sending' | 'pausing' | 'failed' = 'waiting';
  #refreshAtMs = 0;
  #stopping = false;
  #cancelTimer = () => {};
  #whenAnswered = () => {};

  constructor(core: Core, account: Account, facts: () => Facts) {
    this.#core = core;
    this.#account = account;
    this.#facts = facts;
    this.#patience = new Patience(core.random);
    this.#callId = newCallId(core.random);
    this.#from = `${fromOf(account)};tag=${core.random.token(8)}`;
  }

  /** Once, when the account is registered: `way` is it by the way that works. */
  registered(way: Account) {
    if (this.#state !== 'waiting' || this.#stopping || way.settings.id !== this.#account.settings.id) return;
    this.#account = way;
    this.#state = 'pausing';
    this.#after(spreadMs * this.#core.random.next(), () => this.#publish(), 'PUBLISH');
  }

  /** The state may be another one: told at once, unless something is on its way or a pause is kept. */
  changed() {
    if (this.#state === 'resting' && this.#isNews) this.#publish();
  }

  /** Takes it back (§4.5). `done` is called when that has been answered or has failed. */
  stop(done: () => void) {
    this.#cancelTimer();
    if (this.#stopping) return done();
    this.#stopping = true;
    const remove = () => {
      if (this.#tag === undefined) done();
      else this.#send('0', undefined, response => response.status >= 200 && done(), done);
    };
    // What is on its way brings another tag.
    if (this.#exchange === undefined) remove();
    else this.#whenAnswered = remove;
  }

  get #isNews() {
    return presencePackage.gist(this.#facts()) !== this.#told;
  }

  #publish() {
    const facts = this.#facts();
    const gist = presencePackage.gist(facts);
    // §4.3: a refresh says nothing new.
    const document = this.#tag !== undefined && gist === this.#told ? undefined : presencePackage.open()(facts);
    const withTag = this.#tag !== undefined;
    this.#state = 'sending';
    const exchange = this.#send(
      this.#expiry.seconds,
      document,
      response => {
        if (response.status < 200 || this.#exchange !== exchange) return;
        this.#exchange = undefined;
        if (this.#stopping) {
          this.#tag = tagIn(response);
          this.#whenAnswered();
        } else if (response.status < 300) this.#taken(response, gist);
        else this.#refused(response, withTag);
      },
      why => {
        if (this.#exchange !== exchange) return;
        this.#exchange = undefined;
        if (this.#stopping) this.#whenAnswered();
        else this.#failed(why, this.#patience.next());
      },
    );
    this.#exchange = exchange;
  }

  #taken(response: Response, gist: string) {
    const { clock, random } = this.#core;
    this.#tag = tagIn(response);
    this.#told = this.#tag === undefined ? undefined : gist;
    this.#patience.reset();
    this.#expiry.settled();
    this.#refreshAtMs = clock.now() + refreshAfter(expiryOf(response, this.#expiry.ms), random);
    this.#state = 'pausing';
    const rest = () => {
      this.#state = 'resting';
      if (this.#tag !== undefined && this.#isNews) this.#publish();
      else this.#after(this.#refreshAtMs - clock.now(), () => this.#publish(), 'PUBLISH refresh');
    };
    this.#after(leastPauseMs, rest, 'PUBLISH pause');
  }

  #refused(response: Response, withTag: boolean) {
    const { status } = response;
    if (this.#expiry.lengthens(response)) return this.#publish();
    // §4.4: it has forgotten us, and hears everything anew.
    const isForgotten = status === 412 && withTag;
    this.#forget();
    if (isForgotten) return this.#publish();
    this.#failed(`${status} ${response.reason || reasonPhrase(status)}`, this.#patience.next({ response }));
  }

  #failed(why: string, retryMs: number) {
    this.#expiry.settled();
    this.#forget();
    this.#state = 'failed';
    this.#core.log.info('presence not published', { account: this.#account.settings.id, why, retryMs });
    this.#after(retryMs, () => this.#publish(), 'PUBLISH again');
  }

  #forget() {
    this.#tag = undefined;
    this.#told = undefined;
  }

  #send(
    expires: string,
    document: string | undefined,
    onResponse: (response: Response) => void,
    onFailure: (why: string) => void,
  ): Exchange {
    const { aor } = this.#account.settings;
    const request = makeRequest({
      method: 'PUBLISH',
      uri: aor,
      from: this.#from,
      to: `<${aor}>`,
      callId: this.#callId,
      sequence: ++this.#sequence,
      account: this.#account,
      headers: [
        ...privacyOf(this.#account),
        ['Event', presencePackage.name],
        ['Expires', expires],
        ...(this.#tag === undefined ? [] : [['SIP-If-Match', this.#tag] as const]),
      ],
    });
    if (document !== undefined)
      setBody(request, { contentType: presencePackage.contentType, bytes: new TextEncoder().encode(document) });
    return new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account: this.#account,
      nextSequence: () => ++this.#sequence,
      onResponse,
      onFailure,
    }).start();
  }

  #after(delayMs: number, task: () => void, name: string) {
    this.#cancelTimer();
    this.#cancelTimer = this.#core.clock.after(delayMs, task, name);
  }
}

/** §4.1: each 2xx has a new one. Without it we cannot speak of that state again, and begin anew. */
function tagIn({ status, headers }: Response): string | undefined {
  return status < 300 ? headers.get('SIP-ETag')?.trim() || undefined : undefined;
}
