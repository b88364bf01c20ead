/** The user agent: accounts, calls, and what becomes of a request that comes in (RFC 3261 §8.2). */
import { Account, accountFor } from './account.ts';
import type {
  Call,
  CallHandler,
  CallOptions,
  Environment,
  IncomingInvite,
  RegistrationState,
  SipCounters,
  SipUserAgent,
  UserAgentHandler,
  UserAgentSettings,
} from './contracts.ts';
import type { Core } from './core.ts';
import { contactOf } from './dialog/dialog.ts';
import { bodyOf } from './dialog/request.ts';
import { DialogTable } from './dialog/table.ts';
import { type Hop, printHop, type TransportName } from './hop.ts';
import { type Located, Locator } from './locate/locator.ts';
import { noParameters } from './message/grammar.ts';
import { isMalformed, type Request } from './message/message.ts';
import { parseUri } from './message/uri.ts';
import { optionsReply } from './options.ts';
import { Registration } from './registration.ts';
import { IncomingCall } from './session/incoming.ts';
import { OutgoingCall } from './session/outgoing.ts';
import { parseTarget } from './target.ts';
import { Timers } from './timers.ts';
import { TransactionLayer } from './transaction/layer.ts';
import { tagOf } from './transaction/matching.ts';
import type { Reply } from './transaction/reply.ts';
import type { ServerTransaction } from './transaction/server.ts';

const ownMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS'];

/** Answers a request outside any dialog, with `transaction.respond`. */
export type RequestHandler = (transaction: ServerTransaction) => void;

export class UserAgent implements SipUserAgent {
  readonly counters: SipCounters = {
    receivedMessages: 0,
    sentMessages: 0,
    malformedMessages: 0,
    retransmissions: 0,
    strayMessages: 0,
    rejectedRequests: 0,
  };
  readonly #core: Core;
  readonly #handler: UserAgentHandler;
  readonly #timers: Timers;
  readonly #accounts: readonly Account[];
  readonly #registrations: readonly Registration[];
  readonly #calls = new Set<Call>();
  readonly #others = new Map<string, RequestHandler>();
  #running = false;
  #stopping = false;
  #finished = false;
  readonly #whenStopped: (() => void)[] = [];
  #whenQuiet = () => {};

  constructor(environment: Environment, settings: UserAgentSettings, handler: UserAgentHandler) {
    this.#handler = handler;
    this.#timers = new Timers(environment.clock);
    const shared = { ...environment, clock: this.#timers };
    const { counters } = this;
    const others = this.#others;
    this.#core = {
      ...shared,
      settings,
      counters,
      dialogs: new DialogTable(),
      locator: new Locator({
        ...shared,
        services: environment.services,
        hasStreams: environment.transport.hasStreams ?? false,
      }),
      transactions: new TransactionLayer(
        { ...shared, counters, product: settings.product },
        {
          onRequest: transaction => this.#serve(transaction),
          onAck: (ack, source) => this.#acknowledge(ack, source),
        },
      ),
      get allow() {
        return [...ownMethods, ...others.keys()].join(', ');
      },
    };
    this.#accounts = settings.accounts.map(account => new Account(account, environment.random));
    this.#registrations = this.#accounts
      .filter(({ settings: { register } }) => register)
      .map(
        account => new Registration(this.#core, account, state => handler.onRegistration(account.settings.id, state)),
      );
  }

  /** Serves a further method outside dialogs (a registrar: REGISTER); it then stands in Allow. Before `start`. */
  onRequest(method: string, handler: RequestHandler) {
    this.#others.set(method, handler);
  }

  start() {
    this.#running = true;
    for (const registration of this.#registrations) registration.start();
  }

  stop(limitMs: number, done: () => void) {
    if (this.#finished) return done();
    this.#whenStopped.push(done);
    if (this.#stopping) return;
    this.#stopping = true;
    let waitingFor = this.#registrations.length;
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
    for (const registration of this.#registrations) {
      registration.stop(() => {
        waitingFor--;
        this.#whenQuiet();
      });
    }
    this.#whenQuiet();
  }

  receive(bytes: Uint8Array, from: Hop) {
    if (!this.#running) return;
    try {
      this.#core.transactions.receive(bytes, from);
    } catch (error) {
      // A fault of ours, but one datagram must not take the door down.
      this.#core.log.error('message not handled', { from: printHop(from), error });
    }
  }

  call(options: CallOptions, handler: CallHandler): Call {
    const target = parseTarget(options.target);
    if (isMalformed(target)) throw new TypeError(`${options.target}: ${target.why}`);
    const account =
      options.account === undefined
        ? this.#accounts[0]
        : this.#accounts.find(({ settings }) => settings.id === options.account);
    if (options.account !== undefined && account === undefined) throw new TypeError(`no account ${options.account}`);
    const call: OutgoingCall = new OutgoingCall(this.#core, account, options, handler, () => this.#forget(call));
    this.#calls.add(call);
    call.start();
    return call;
  }

  connectionLost(to: Hop) {
    if (this.#running) for (const registration of this.#registrations) registration.connectionLost(to);
  }

  locate(text: string, transport: TransportName | undefined, done: Located) {
    const uri = parseUri(text);
    if (isMalformed(uri)) done([], uri.why);
    else this.#core.locator.locate(uri, transport, done);
  }

  refreshRegistrations() {
    for (const registration of this.#registrations) registration.refresh();
  }

  registration(account: string): RegistrationState {
    const registration = this.#registrations.find(({ account: { settings } }) => settings.id === account);
    return registration?.state ?? { is: 'unregistered' };
  }

  get alive() {
    return { transactions: this.#core.transactions.size, calls: this.#calls.size, timers: this.#timers.size };
  }

  #forget(call: Call) {
    this.#calls.delete(call);
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
    const other = this.#others.get(method);
    if (other === undefined && !ownMethods.includes(method)) {
      return this.#reject(transaction, 405, { headers: [['Allow', this.#core.allow]] });
    }
    // We have no extension that a peer could require (§8.2.2.3).
    const required = headers.all('Require');
    if (required.length > 0) {
      return this.#reject(transaction, 420, { headers: [['Unsupported', required.join(', ')]] });
    }
    if (tagOf(headers.get('To')) !== undefined) {
      const owner = this.#core.dialogs.find(request);
      if (owner !== undefined) return owner.onRequest(transaction);
      this.counters.strayMessages++;
      return this.#reject(transaction, 481);
    }
    if (other !== undefined) return other(transaction);
    if (method === 'INVITE') this.#invited(transaction);
    // §11.2: what an INVITE would be answered now. Max-Forwards of 0 concerns proxies; we are where it ends (§16.3).
    else if (method === 'OPTIONS') {
      if (this.#isBusy) transaction.respond(486, optionsReply(this.#core, transaction.source));
      else transaction.respond(200, optionsReply(this.#core, transaction.source));
    } else this.#reject(transaction, 481);
  }

  #invited(transaction: ServerTransaction) {
    const { request, source } = transaction;
    // §8.1.1.8; RFC 2543, whose callers have no tag, did not ask for one.
    if (contactOf(request) === undefined && tagOf(request.headers.get('From')) !== undefined) {
      return this.#reject(transaction, 400, { reason: 'Missing Contact' });
    }
    if (this.#stopping) return this.#reject(transaction, 503);
    if (this.#isBusy) return this.#reject(transaction, 486);
    const uri = parseUri(request.uri);
    const known = isMalformed(uri) ? undefined : uri;
    const account = accountFor(this.#accounts, known?.user, request.headers.get('To'));
    const call: IncomingCall = new IncomingCall(this.#core, account, transaction, () => this.#forget(call));
    this.#calls.add(call);
    call.start();
    const invite: IncomingInvite = {
      call,
      source,
      body: bodyOf(request),
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

  get #isBusy() {
    let count = 0;
    for (const call of this.#calls) if (call.state !== 'ended') count++;
    return count >= this.#core.settings.maxCalls;
  }

  #reject(transaction: ServerTransaction, status: number, reply?: Reply) {
    this.counters.rejectedRequests++;
    transaction.respond(status, reply);
  }
}
