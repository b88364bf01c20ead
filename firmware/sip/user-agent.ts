/** The user agent: accounts, calls, and what becomes of a request that comes in (RFC 3261 §8.2). */
import { Account, accountFor } from './account.ts';
import { Admission } from './admission/admission.ts';
import { oursFor } from './admission/ours.ts';
import { CallerGate } from './caller-gate.ts';
import type {
  Call,
  CallHandler,
  CallOptions,
  Environment,
  IncomingInvite,
  Reachability,
  RegistrationReport,
  RegistrationState,
  SipCounters,
  SipUserAgent,
  SubscriptionHandler,
  SubscriptionOptions,
  TextOptions,
  TextResult,
  UserAgentHandler,
  UserAgentSettings,
} from './contracts.ts';
import type { Core } from './core.ts';
import { newCounters } from './counters.ts';
import { accountsFor } from './dialing.ts';
import { contactOf } from './dialog/dialog.ts';
import { bodyOf } from './dialog/request.ts';
import { DialogTable } from './dialog/table.ts';
import { allowEvents, remoteControlEvents } from './event/event.ts';
import { Events } from './event/events.ts';
import { unknownExtensions } from './extensions.ts';
import { AccountFlows } from './flow/account-flows.ts';
import { isStun } from './flow/stun.ts';
import { StunEndpoint } from './flow/stun-endpoint.ts';
import { type Hop, isReliable, printHop, type TransportName } from './hop.ts';
import { type Located, Locator } from './locate/locator.ts';
import { noParameters } from './message/grammar.ts';
import { isMalformed, type Malformed, malformed, type Request } from './message/message.ts';
import { parseUri, printUri, type SipUri } from './message/uri.ts';
import { optionsReply } from './options.ts';
import { Ping } from './ping.ts';
import { Probe, type Probed, type ProbeOptions } from './probe.ts';
import { RegistrationOrder } from './registration-order.ts';
import { IncomingCall } from './session/incoming.ts';
import { OutgoingCall } from './session/outgoing.ts';
import { assertedIdentity } from './session/party.ts';
import { parseReplaces } from './session/replaces.ts';
import { tooBrief } from './session/session-timer.ts';
import { parseTarget, targetAt } from './target.ts';
import { Texts } from './texts.ts';
import { Timers } from './timers.ts';
import { TransactionLayer } from './transaction/layer.ts';
import { tagOf } from './transaction/matching.ts';
import type { Reply } from './transaction/reply.ts';
import type { ServerTransaction } from './transaction/server.ts';

const ownMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'];

/** Calls that have ended and still wait for the answer to their BYE, or for an ACK, 32 s at most. */
export const endedCallLimit = 64;

/** Answers a request outside any dialog, with `transaction.respond`. */
export type RequestHandler = (transaction: ServerTransaction) => void;

export class UserAgent implements SipUserAgent {
  readonly counters: SipCounters = newCounters();
  readonly #core: Core;
  readonly #handler: UserAgentHandler;
  readonly #strangers: 'ignore' | 'answer';
  readonly #timers: Timers;
  readonly #accounts: readonly Account[];
  readonly #registrations: readonly AccountFlows[];
  readonly #order: RegistrationOrder;
  readonly #pings: readonly Ping[];
  readonly #calls = new Set<IncomingCall | OutgoingCall>();
  readonly #events: Events;
  readonly #texts: Texts;
  /** Method → who serves it outside any dialog. */
  readonly #outside: Map<string, RequestHandler>;
  readonly #callerGate: CallerGate;
  #running = false;
  #stopping = false;
  #finished = false;
  readonly #whenStopped: (() => void)[] = [];
  #whenQuiet = () => {};

  constructor(environment: Environment, settings: UserAgentSettings, handler: UserAgentHandler) {
    this.#handler = handler;
    this.#strangers = settings.strangers ?? 'answer';
    this.#timers = new Timers(environment.clock);
    const shared = { ...environment, clock: this.#timers };
    const { counters } = this;
    const outside = new Map<string, RequestHandler>([
      ['INVITE', transaction => this.#invited(transaction)],
      ['OPTIONS', transaction => this.#asked(transaction)],
      // It would make us ring at whoever a stranger names.
      ['REFER', transaction => this.#reject(transaction, 403)],
    ]);
    this.#outside = outside;
    this.#core = {
      ...shared,
      settings,
      counters,
      dialogs: new DialogTable(),
      stun: new StunEndpoint(shared),
      locator: new Locator({
        ...shared,
        services: environment.services,
        hasStreams: environment.transport.hasStreams ?? false,
      }),
      transactions: new TransactionLayer(
        { ...shared, counters, product: settings.product, admission: this.#admission(shared) },
        {
          onRequest: transaction => this.#serve(transaction),
          onAck: (ack, source) => this.#acknowledge(ack, source),
        },
      ),
      get allow() {
        return [...new Set([...ownMethods, ...outside.keys()])].join(', ');
      },
      allowEvents: handler.notices === undefined ? remoteControlEvents.join(', ') : allowEvents,
      callsChanged: () => this.#events.callsChanged(),
    };
    this.#accounts = settings.accounts.map(account => new Account(account, environment.random));
    this.#texts = new Texts(this.#core);
    const calls = () => [...this.#calls].map(({ facts }) => facts);
    this.#events = new Events(this.#core, this.#accounts, handler, calls);
    for (const [method, serve] of this.#events.outside)
      outside.set(method, transaction => serve(transaction, this.#accountOf(transaction.request)));
    const trusts = (source: Hop, account: string | undefined) => handler.notices?.trusts(source, account) ?? false;
    this.#callerGate = new CallerGate(this.#core, this.#accounts, trusts);
    this.#registrations = this.#accounts
      .filter(({ settings: { register } }) => register)
      .map(account => {
        const flows: AccountFlows = new AccountFlows(this.#core, account, state => {
          this.#order.changed(flows, state);
          handler.onRegistration(account.settings.id, state);
        });
        return flows;
      });
    this.#order = new RegistrationOrder(this.#registrations, settings.serialRegistration ?? false);
    this.#pings = this.#accounts
      .filter(({ settings: { register, pingMs = 0 } }) => !register && pingMs > 0)
      .map(account => {
        const tell = (state: Reachability) => handler.onReachability?.(account.settings.id, state);
        return new Ping(this.#core, account, account.settings.pingMs!, tell);
      });
  }

  #admission({ clock, transport }: Environment): Admission | undefined {
    const { trusts, onIgnored } = this.#handler;
    if (trusts === undefined) return undefined;
    return new Admission({
      clock,
      counters: this.counters,
      trusts,
      isOfCall: bytes => this.#isOfCall(bytes),
      ...(this.#strangers === 'ignore' && { ours: source => oursFor(this.#accounts, transport, source) }),
      tell: ignored => onIgnored?.(ignored),
    });
  }

  /** Whether its bytes hold the Call-ID of a call that goes on: it need not be read to be known. */
  #isOfCall(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { id, state } of this.#calls) if (state !== 'ended' && buffer.includes(id)) return true;
    return false;
  }

  /** Serves a further method outside dialogs (a registrar: REGISTER); it then stands in Allow. Before `start`. */
  onRequest(method: string, handler: RequestHandler) {
    this.#outside.set(method, handler);
  }

  start() {
    this.#running = true;
    this.#order.start();
    for (const ping of this.#pings) ping.start();
    this.#events.start();
  }

  stop(limitMs: number, done: () => void) {
    if (this.#finished) return done();
    this.#whenStopped.push(done);
    if (this.#stopping) return;
    this.#stopping = true;
    let waitingFor = this.#registrations.length + 1;
    const finish = () => {
      if (this.#finished) return;
      this.#finished = true;
      this.#running = false;
      this.#core.transactions.stop();
      this.#timers.close();
      this.#calls.clear();
      for (const tell of this.#whenStopped) tell();
    };
    this.#whenQuiet = () => {
      if (waitingFor === 0 && this.#calls.size === 0) finish();
    };
    this.#timers.after(limitMs, finish, 'stop limit');
    for (const call of [...this.#calls]) call.hangUp();
    for (const ping of this.#pings) ping.stop();
    const quiet = () => {
      waitingFor--;
      this.#whenQuiet();
    };
    this.#events.stop(quiet);
    for (const registration of this.#registrations) registration.stop(quiet);
  }

  receive(bytes: Uint8Array, from: Hop) {
    if (!this.#running) return;
    try {
      // RFC 5626 §8: told apart before SIP is looked for. Over a connection there is none (§3.5.1).
      if (isStun(bytes) && !isReliable(from)) this.#core.stun.receive(bytes, from);
      else this.#core.transactions.receive(bytes, from);
    } catch (error) {
      // A fault of ours, but one datagram must not take the door down.
      this.#core.log.error('message not handled', { from: printHop(from), error });
    }
  }

  call(options: CallOptions, handler: CallHandler): Call {
    const target = this.targetUri(options.target, options.account);
    if (isMalformed(target)) throw new TypeError(`${options.target}: ${target.why}`);
    const { tryNextAccount = true } = this.#core.settings;
    const all = accountsFor(this.#ways, options.account, options.target);
    const accounts = tryNextAccount ? all : all.slice(0, 1);
    const call: OutgoingCall = new OutgoingCall(this.#core, accounts, options, handler, () => this.#forget(call));
    if (this.#stopping) {
      // Nobody would wait for its end, nor be told of it later.
      call.hangUp();
      return call;
    }
    this.#calls.add(call);
    this.#events.callsChanged();
    call.start();
    return call;
  }

  subscribe(options: SubscriptionOptions, handler: SubscriptionHandler) {
    const { account, target } = this.#addressed(options);
    return this.#events.subscriber.subscribe(account, { ...options, target }, handler);
  }

  sendText(options: TextOptions, done: (result: TextResult) => void) {
    const { account, target } = this.#addressed(options);
    this.#texts.send(account, { ...options, target }, done);
  }

  /** Who speaks to whom: asserts that both are there. */
  #addressed({ target: text, account: named }: { target: string; account?: string }) {
    const uri = this.targetUri(text, named);
    if (isMalformed(uri)) throw new TypeError(`${text}: ${uri.why}`);
    const [account] = accountsFor(this.#ways, named, text);
    return { account, target: printUri(uri) };
  }

  connectionLost(to: Hop) {
    if (this.#running) for (const registration of this.#registrations) registration.connectionLost(to);
  }

  targetUri(target: string, named: string | undefined): SipUri | Malformed {
    const [account] = accountsFor(this.#ways, named, target);
    if (named !== undefined && account === undefined) return malformed(404, `no account ${named}`);
    const uri = targetAt(target, account?.uri);
    return typeof uri === 'string' ? parseTarget(uri) : uri;
  }

  locate(text: string, transport: TransportName | undefined, done: Located) {
    const uri = parseUri(text);
    if (isMalformed(uri)) done([], uri.why);
    else this.#core.locator.locate(uri, transport, done);
  }

  refreshRegistrations() {
    for (const registration of this.#registrations) registration.refresh();
  }

  networkChanged(isUp: boolean, gone: readonly string[]) {
    if (!this.#running) return;
    this.#core.transport.networkChanged?.(gone);
    this.#core.locator.forgive();
    for (const registration of this.#registrations) registration.networkChanged(isUp);
    if (isUp) this.#events.networkChanged();
  }

  registration(account: string): RegistrationState {
    const registration = this.#registrations.find(({ account: { settings } }) => settings.id === account);
    return registration?.state ?? { is: 'unregistered' };
  }

  get watchers() {
    return this.#events.watchers;
  }

  probe(id: string | undefined, options: ProbeOptions, done: (probed: Probed) => void) {
    const account = this.#accounts.find(({ settings }) => settings.id === id);
    new Probe(this.#core, account, options, done).start();
  }

  registrationReports(account: string): readonly RegistrationReport[] {
    return this.#registrations.find(({ account: { settings } }) => settings.id === account)?.reports ?? [];
  }

  reachability(account: string): Reachability | undefined {
    return this.#pings.find(({ account: { settings } }) => settings.id === account)?.state;
  }

  get alive() {
    return { transactions: this.#core.transactions.size, calls: this.#calls.size, timers: this.#timers.size };
  }

  #forget(call: IncomingCall | OutgoingCall) {
    this.#calls.delete(call);
    this.#events.callsChanged();
    this.#whenQuiet();
  }

  #acknowledge(ack: Request, source: Hop) {
    const owner = this.#core.dialogs.find(ack);
    if (owner !== undefined) return owner.onAck(ack);
    this.counters.strayMessages++;
    this.#core.log.debug('stray message', { what: 'ACK', from: printHop(source) });
  }

  /** RFC 3261 §8.2, in its order. */
  #serve(transaction: ServerTransaction) {
    const { request } = transaction;
    const { method, headers } = request;
    const serve = this.#outside.get(method);
    if (serve === undefined && !ownMethods.includes(method)) {
      return this.#reject(transaction, 405, { headers: [['Allow', this.#core.allow]] });
    }
    const unknown = unknownExtensions(request);
    if (unknown.length > 0) {
      return this.#reject(transaction, 420, { headers: [['Unsupported', unknown.join(', ')]] });
    }
    if (tagOf(headers.get('To')) !== undefined) {
      const owner = this.#core.dialogs.find(request);
      if (owner !== undefined && method === 'MESSAGE' && serve !== undefined) return serve(transaction);
      if (owner !== undefined) return owner.onRequest(transaction);
      if (this.#events.subscriber.serve(transaction)) return;
      this.counters.strayMessages++;
      return this.#reject(transaction, 481);
    }
    if (serve !== undefined) serve(transaction);
    else this.#reject(transaction, 481);
  }

  /** §11.2: what an INVITE would be answered now. Max-Forwards of 0 concerns proxies; we are where it ends (§16.3). */
  #asked(transaction: ServerTransaction) {
    transaction.respond(this.#isBusy() ? 486 : 200, optionsReply(this.#core, transaction.source));
  }

  /** Each account by the way that works. */
  get #ways(): readonly Account[] {
    return this.#accounts.map(account => this.#wayOf(account) ?? account);
  }

  #wayOf(account: Account | undefined, source?: Hop) {
    return this.#registrations.find(({ account: one }) => one === account)?.way(source) ?? account;
  }

  #accountOf(request: Request) {
    const uri = parseUri(request.uri);
    return accountFor(this.#accounts, isMalformed(uri) ? undefined : uri.user, request.headers.get('To'));
  }

  #invited(transaction: ServerTransaction) {
    const { request, source } = transaction;
    // §8.1.1.8; RFC 2543, whose callers have no tag, did not ask for one.
    if (contactOf(request) === undefined && tagOf(request.headers.get('From')) !== undefined) {
      return this.#reject(transaction, 400, { reason: 'Missing Contact' });
    }
    if (this.#stopping) return this.#reject(transaction, 503);
    const account = this.#accountOf(request);
    const admitted = this.#callerGate.admit(transaction, account);
    if (admitted === undefined) {
      this.counters.rejectedRequests++;
      return;
    }
    const replaced = this.#replacedBy(request);
    if (typeof replaced === 'number') return this.#reject(transaction, replaced);
    // It takes the place of another, and needs none of its own.
    if (replaced === undefined && this.#isBusy(this.#core.settings.spareCalls)) return this.#reject(transaction, 486);
    const brief = tooBrief(request);
    if (brief !== undefined) return this.#reject(transaction, 422, { headers: brief });
    const uri = parseUri(request.uri);
    const known = isMalformed(uri) ? undefined : uri;
    const call: IncomingCall = new IncomingCall(this.#core, this.#wayOf(account, source), transaction, () =>
      this.#forget(call),
    );
    this.#calls.add(call);
    this.#events.callsChanged();
    call.start();
    const invite: IncomingInvite = {
      call,
      source,
      body: bodyOf(request),
      replaces: replaced,
      authenticated: admitted.caller,
      asserted: assertedIdentity(request),
      header: name => request.headers.all(name),
      uriParameters: known?.parameters ?? noParameters(),
      toUser: known?.user,
    };
    try {
      call.attach(this.#handler.onInvite(invite));
    } catch (error) {
      // Nobody will ever answer it, and it would hold a line for ever.
      if (call.state !== 'ended') call.refuse(500);
      throw error;
    }
  }

  /** RFC 3891 §3: the call that an INVITE names, or the status that refuses it. */
  #replacedBy({ headers }: Request): Call | number | undefined {
    if (!headers.has('Replaces')) return undefined;
    const replaces = parseReplaces(headers.get('Replaces') ?? '');
    if (headers.lines('Replaces') > 1 || isMalformed(replaces)) return 400;
    const identity = { callId: replaces.callId, localTag: replaces.toTag, remoteTag: replaces.fromTag };
    for (const call of this.#calls) {
      const phase = call.phaseOf(identity);
      if (phase === undefined) continue;
      if (call.state === 'ended') return 603;
      return phase === 'confirmed' && replaces.earlyOnly ? 486 : call;
    }
    return 481;
  }

  #isBusy(spare = 0) {
    const limit = this.#core.settings.maxCalls + spare;
    if (this.#calls.size >= limit + endedCallLimit) return true;
    let count = 0;
    for (const call of this.#calls) if (call.state !== 'ended') count++;
    return count >= limit;
  }

  #reject(transaction: ServerTransaction, status: number, reply?: Reply) {
    this.counters.rejectedRequests++;
    transaction.respond(status, reply);
  }
}
