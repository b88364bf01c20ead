/** The user agent: accounts, calls, and what becomes of a request that comes in (RFC 3261 §8.2). */
import { Account, accountFor } from './account.ts';
import { Admission } from './admission/admission.ts';
import { oursFor } from './admission/ours.ts';
import { CallerGate } from './caller-gate.ts';
import { Calls } from './calls.ts';
import type {
  Call,
  CallHandler,
  CallOptions,
  Environment,
  Reachability,
  RegistrationReport,
  RegistrationState,
  SipUserAgent,
  UserAgentHandler,
} from './contracts.ts';
import type { Core } from './core.ts';
import type { SipCounters } from './counters.ts';
import { newCounters } from './counters.ts';
import { accountsFor } from './dialing.ts';
import { DialogTable } from './dialog/table.ts';
import type { SubscriptionHandler, SubscriptionOptions, TextOptions, TextResult } from './event/contracts.ts';
import { allowEvents, remoteControlEvents } from './event/event.ts';
import { Events } from './event/events.ts';
import { isStun } from './flow/stun.ts';
import { StunEndpoint } from './flow/stun-endpoint.ts';
import { type Hop, isReliable, printHop, type TransportName } from './hop.ts';
import { serveInvite } from './invitation.ts';
import { type Located, Locator } from './locate/locator.ts';
import { isMalformed, type Malformed, malformed, type Request } from './message/message.ts';
import { parseUri, printUri, type SipUri } from './message/uri.ts';
import { optionsReply } from './options.ts';
import { type Ping, pingsOf } from './ping.ts';
import { Probe, type Probed, type ProbeOptions } from './probe.ts';
import { Registrations } from './registrations.ts';
import { type RequestHandler, Requests } from './requests.ts';
import { OutgoingCall } from './session/outgoing.ts';
import type { UserAgentSettings } from './settings.ts';
import { stopAll } from './stop-all.ts';
import { parseTarget, targetAt } from './target.ts';
import { Texts } from './texts.ts';
import { Timers } from './timers.ts';
import { TransactionLayer } from './transaction/layer.ts';
import type { ServerTransaction } from './transaction/server.ts';

export class UserAgent implements SipUserAgent {
  readonly counters: SipCounters = newCounters();
  readonly #core: Core;
  readonly #handler: UserAgentHandler;
  readonly #strangers: 'ignore' | 'answer';
  readonly #timers: Timers;
  readonly #accounts: readonly Account[];
  readonly #registrations: Registrations;
  readonly #pings: readonly Ping[];
  readonly #calls: Calls;
  readonly #events: Events;
  readonly #texts: Texts;
  readonly #requests: Requests;
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
    const requests = () => this.#requests;
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
          onRequest: transaction => this.#requests.serve(transaction),
          onAck: (ack, source) => this.#requests.acknowledge(ack, source),
        },
      ),
      get allow() {
        return requests().allow;
      },
      allowEvents: handler.notices === undefined ? remoteControlEvents.join(', ') : allowEvents,
      callsChanged: () => this.#events.callsChanged(),
    };
    this.#accounts = settings.accounts.map(account => new Account(account, environment.random));
    this.#texts = new Texts(this.#core);
    this.#calls = new Calls(settings.maxCalls, () => {
      this.#events.callsChanged();
      this.#whenQuiet();
    });
    this.#events = new Events(this.#core, this.#accounts, handler, () => this.#calls.facts);
    this.#requests = new Requests(this.#core, transaction => this.#events.subscriber.serve(transaction));
    this.onRequest('INVITE', transaction => this.#invited(transaction));
    this.onRequest('OPTIONS', transaction => this.#asked(transaction));
    // It would make us ring at whoever a stranger names.
    this.onRequest('REFER', transaction => this.#requests.reject(transaction, 403));
    for (const [method, serve] of this.#events.outside)
      this.onRequest(method, transaction => serve(transaction, this.#accountOf(transaction.request)));
    const trusts = (source: Hop, account: string | undefined) => handler.notices?.trusts(source, account) ?? false;
    this.#callerGate = new CallerGate(this.#core, this.#accounts, trusts);
    this.#registrations = new Registrations(this.#core, this.#accounts, (account, state) => {
      if (state.is === 'registered') this.#events.registered(this.#registrations.wayOf(account)!);
      handler.onRegistration(account.settings.id, state);
    });
    this.#pings = pingsOf(this.#core, this.#accounts, (id, state) => handler.onReachability?.(id, state));
  }

  #admission({ clock, transport }: Environment): Admission | undefined {
    const { trusts, onIgnored } = this.#handler;
    if (trusts === undefined) return undefined;
    return new Admission({
      clock,
      counters: this.counters,
      trusts,
      isOfCall: bytes => this.#calls.own(bytes),
      ...(this.#strangers === 'ignore' && { ours: source => oursFor(this.#accounts, transport, source) }),
      tell: ignored => onIgnored?.(ignored),
    });
  }

  /** Serves a further method outside dialogs (a registrar: REGISTER); it then stands in Allow. Before `start`. */
  onRequest(method: string, handler: RequestHandler) {
    this.#requests.on(method, handler);
  }

  start() {
    this.#running = true;
    this.#registrations.start();
    for (const ping of this.#pings) ping.start();
    this.#events.start();
  }

  stop(limitMs: number, done: () => void) {
    if (this.#finished) return done();
    this.#whenStopped.push(done);
    if (this.#stopping) return;
    this.#stopping = true;
    let isAnswered = false;
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
      if (isAnswered && this.#calls.size === 0) finish();
    };
    this.#timers.after(limitMs, finish, 'stop limit');
    this.#calls.hangUp();
    for (const ping of this.#pings) ping.stop();
    stopAll([this.#events, this.#registrations], () => {
      isAnswered = true;
      this.#whenQuiet();
    });
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
    const all = accountsFor(this.#registrations.ways, options.account, options.target);
    const accounts = tryNextAccount ? all : all.slice(0, 1);
    const call: OutgoingCall = new OutgoingCall(this.#core, accounts, options, handler, () => this.#calls.remove(call));
    if (this.#stopping) {
      // Nobody would wait for its end, nor be told of it later.
      call.hangUp();
      return call;
    }
    this.#calls.add(call);
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
    const [account] = accountsFor(this.#registrations.ways, named, text);
    return { account, target: printUri(uri) };
  }

  connectionLost(to: Hop) {
    if (this.#running) this.#registrations.connectionLost(to);
  }

  targetUri(target: string, named: string | undefined): SipUri | Malformed {
    const [account] = accountsFor(this.#registrations.ways, named, target);
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
    this.#registrations.refresh();
  }

  networkChanged(isUp: boolean, gone: readonly string[]) {
    if (!this.#running) return;
    this.#core.transport.networkChanged?.(gone);
    this.#core.locator.forgive();
    this.#registrations.networkChanged(isUp);
    if (isUp) this.#events.networkChanged();
  }

  registration(account: string): RegistrationState {
    return this.#registrations.stateOf(account);
  }

  get watchers() {
    return this.#events.watchers;
  }

  probe(id: string | undefined, options: ProbeOptions, done: (probed: Probed) => void) {
    const account = this.#accounts.find(({ settings }) => settings.id === id);
    new Probe(this.#core, account, options, done).start();
  }

  registrationReports(account: string): readonly RegistrationReport[] {
    return this.#registrations.reportsOf(account);
  }

  reachability(account: string): Reachability | undefined {
    return this.#pings.find(({ account: { settings } }) => settings.id === account)?.state;
  }

  get alive() {
    return { transactions: this.#core.transactions.size, calls: this.#calls.size, timers: this.#timers.size };
  }

  /** §11.2: what an INVITE would be answered now. Max-Forwards of 0 concerns proxies; we are where it ends (§16.3). */
  #asked(transaction: ServerTransaction) {
    transaction.respond(this.#calls.isFull() ? 486 : 200, optionsReply(this.#core, transaction.source));
  }

  #accountOf(request: Request) {
    const uri = parseUri(request.uri);
    return accountFor(this.#accounts, isMalformed(uri) ? undefined : uri.user, request.headers.get('To'));
  }

  #invited(transaction: ServerTransaction) {
    if (this.#stopping) return this.#requests.reject(transaction, 503);
    const called = this.#accountOf(transaction.request);
    serveInvite(transaction, {
      core: this.#core,
      calls: this.#calls,
      gate: this.#callerGate,
      called,
      way: this.#registrations.wayOf(called, transaction.source),
      onInvite: invite => this.#handler.onInvite(invite),
      reject: (status, reply) => this.#requests.reject(transaction, status, reply),
    });
  }
}
