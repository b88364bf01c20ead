/** The SIP side of the device: socket, user agent, accounts, and whom to believe. */
import type { Config } from '../config/schema.ts';
import { printAddress } from '../lib/address.ts';
import { backoff } from '../lib/backoff.ts';
import type {
  CallHandler,
  Environment,
  IncomingInvite,
  Reachability,
  RegistrationState,
  SipUserAgent,
} from '../sip/contracts.ts';
import { type LinkChange, LinkWatch } from '../sip/transport/links.ts';
import { UserAgent } from '../sip/user-agent.ts';
import { subscribeToCheckSync } from './check-sync.ts';
import type { ActionResult, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';
import { SPARE_CALLS } from './incoming-calls.ts';
import type { SipSocket } from './intercom.ts';
import { type ProbeRequest, type ProbeResult, probeTarget, withAdvice } from './sip-probe.ts';
import { accountStatus, type SipStatus } from './sip-status.ts';
import { sendText } from './texts.ts';
import { TrustedSources } from './trusted-sources.ts';
import { WatchedContacts } from './watched-contacts.ts';
import type { WireTap } from './wire-tap.ts';

export interface TelephoneParts {
  environment: Omit<Environment, 'transport'>;
  socket: SipSocket;
  tap: WireTap;
  events: EventLog;
  config: () => Config;
  product: string;
  /** `urn:uuid:…` of this device (RFC 5626 §4.1). */
  instanceId?: string | undefined;
  onInvite: (invite: IncomingInvite) => CallHandler;
  /** Addresses of this machine that others can reach. Absent: they never change. */
  addresses?: () => readonly string[] | undefined;
  /** They have changed, and some are there: calls may have to be repaired. */
  onNetworkChanged: () => void;
  /** Somebody who may has asked for a look at the configuration. */
  onCheckSync: () => void;
  changed: () => void;
}

const WILDCARDS = ['0.0.0.0', '::'];
/** A socket that cannot be had is tried again, ever more seldom: an address may come up after us. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** A socket that has not failed for so long is open. Milliseconds. */
const OPEN_AFTER_MS = 500;

const isLoopback = (host: string) => /^127\.|^::1$/.test(host);

export class Telephone {
  readonly userAgent: SipUserAgent;
  readonly #parts: TelephoneParts;
  readonly #trusted: TrustedSources;
  /** Account → contact, as last told. */
  readonly #registeredAs = new Map<string, string>();
  /** Account → whether its server answers, as last told. */
  readonly #reached = new Map<string, Reachability['is']>();
  readonly #links: LinkWatch | undefined;
  #probing = false;
  readonly #watched: WatchedContacts;
  #problem: string | undefined;
  /** A way in that cannot be had, while others can. */
  #closed: string | undefined;
  #retries: Iterator<number, never> | undefined;
  /** Of the socket: its next try, or the moment when it counts as open. */
  #cancelSocket: (() => void) | undefined;

  constructor(parts: TelephoneParts) {
    this.#parts = parts;
    this.#trusted = new TrustedSources((uri, transport, done) => this.userAgent.locate(uri, transport, done));
    const { environment, addresses } = parts;
    this.#links = addresses && new LinkWatch(environment.clock, addresses, change => this.#networkChanged(change));
    const { sip, calls } = parts.config();
    this.userAgent = new UserAgent(
      { ...parts.environment, transport: parts.tap.on(parts.socket) },
      {
        accounts: Object.entries(sip.accounts).map(([id, account]) => ({
          ...account,
          id,
          aor: account.uri,
          expiresMs: account.expires,
          pingMs: account.registrar === undefined && account.outboundProxy === undefined ? 0 : account.ping,
          logins: Object.values(account.logins),
          callers: Object.entries(account.callers).map(([username, { password }]) => ({ username, password })),
          ...(account.keepAliveEvery !== undefined && { keepAliveMs: account.keepAliveEvery }),
        })),
        ...(parts.instanceId !== undefined && { instanceId: parts.instanceId }),
        product: parts.product,
        maxCalls: sip.maxCalls,
        spareCalls: SPARE_CALLS,
        ringLimitMs: calls.ringFor,
        maxRedirects: calls.maxRedirects,
        sessionExpiresMs: sip.sessionTimer,
        serverTimeoutMs: sip.serverTimeout,
        strangers: sip.strangers,
        serialRegistration: sip.registration === 'serial',
        tryNextAccount: calls.tryNextAccount,
      },
      {
        onInvite: invite => parts.onInvite(invite),
        onRegistration: (account, state) => this.#registration(account, state),
        trusts: host => this.isTrusted(host, undefined),
        onIgnored: ignored => parts.events.tell('sip', 'ignored', { ...ignored }),
        onReachability: (account, state) => this.#reachability(account, state),
        notices: {
          trusts: ({ host }, account) => this.isTrusted(host, account),
          onCheckSync: ({ remote, account, asksForReboot }) => this.#checkSync(remote.uri, account, asksForReboot),
          onMessage: ({ remote, account, text }) =>
            parts.events.tell('sip', 'message', { remote: remote.uri, account, text }),
        },
      },
    );
    const contacts = () => parts.config().contacts;
    this.#watched = new WatchedContacts({
      userAgent: this.userAgent,
      events: parts.events,
      contacts,
      changed: parts.changed,
    });
  }

  start() {
    for (const [id, account] of Object.entries(this.#parts.config().sip.accounts)) this.#trusted.learn(id, account);
    this.#openSocket();
    this.userAgent.start();
    this.#links?.start();
    this.#watched.update();
    const { accounts } = this.#parts.config().sip;
    subscribeToCheckSync(this.userAgent, accounts, (remote, account) => this.#checkSync(remote, account, false));
  }

  /** The configuration has changed in what needs no new start. */
  configured() {
    this.#watched.update();
  }

  /** Contacts that are watched, and whether they can be called. */
  contacts(): Status['contacts'] {
    return this.#watched.status();
  }

  /** Sends a text; what becomes of it is an event. */
  say(target: string, text: string): ActionResult {
    const { events, config } = this.#parts;
    return sendText(target, text, { userAgent: this.userAgent, events, config });
  }

  #checkSync(remote: string, account: string | undefined, asksForReboot: boolean) {
    this.#parts.events.tell('provisioning', 'check asked for', { remote, account, asksForReboot });
    this.#parts.onCheckSync();
  }

  #networkChanged({ addresses, came, gone }: LinkChange) {
    const isUp = addresses.length > 0;
    this.#parts.events.tell('sip', isUp ? 'network changed' : 'network gone', { came, gone });
    this.userAgent.networkChanged(isUp, gone);
    if (isUp) this.#parts.onNetworkChanged();
  }

  #openSocket() {
    const { socket, environment, tap } = this.#parts;
    if (this.#problem !== undefined)
      this.#cancelSocket = environment.clock.after(OPEN_AFTER_MS, () => this.#socketOpen(), 'SIP socket open');
    socket.start(
      (bytes, from) => {
        tap.received(socket, from, bytes);
        this.userAgent.receive(bytes, from);
      },
      (why, deaf = true) => (deaf ? this.#socketFailed(why) : this.#listenerFailed(why)),
      to => this.userAgent.connectionLost(to),
    );
  }

  #socketOpen() {
    const { events, changed } = this.#parts;
    this.#problem = undefined;
    this.#retries = undefined;
    events.tell('sip', 'socket open');
    this.userAgent.refreshRegistrations();
    changed();
  }

  /** One way in is closed; the others go on. It is tried again with the next start of the telephone. */
  #listenerFailed(why: string) {
    const { events, changed } = this.#parts;
    this.#closed = why;
    events.tell('sip', 'socket failed', { why });
    changed();
  }

  #socketFailed(why: string) {
    const { socket, events, environment, changed } = this.#parts;
    this.#cancelSocket?.();
    socket.stop();
    const news = why !== this.#problem;
    this.#problem = why;
    if (news) events.tell('sip', 'socket failed', { why });
    this.#retries ??= backoff({ firstMs: FIRST_RETRY_MS, limitMs: LAST_RETRY_MS, random: environment.random });
    const pauseMs = this.#retries.next().value;
    this.#cancelSocket = environment.clock.after(pauseMs, () => this.#openSocket(), 'SIP socket again');
    changed();
  }

  /** Ends calls and registrations as far as the time allows, then closes the socket. */
  stop(limitMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#links?.stop();
      this.userAgent.stop(limitMs, () => {
        this.#cancelSocket?.();
        this.#parts.socket.stop();
        resolve();
      });
    });
  }

  /** Why the socket, or one way into it, cannot be had. */
  get problem() {
    return this.#problem ?? this.#closed;
  }

  /** Some account can place a call now; without accounts calls go from peer to peer. */
  get canCall(): boolean {
    if (this.#problem !== undefined) return false;
    const accounts = Object.entries(this.#parts.config().sip.accounts);
    if (accounts.length === 0) return true;
    return accounts.some(([id, { register }]) =>
      register
        ? this.userAgent.registration(id).is === 'registered'
        : this.userAgent.reachability(id)?.is !== 'unreachable',
    );
  }

  isTrusted(source: string, account: string | undefined): boolean {
    const { sip, calls } = this.#parts.config();
    const isTrusted = this.#trusted.isTrusted(source, account, calls.autoAnswer.trustedSources);
    // An account that never registers has no other moment at which its server is looked up again; DNS is asked seldom.
    const settings = isTrusted || account === undefined ? undefined : sip.accounts[account];
    if (account !== undefined && settings?.register === false) this.#trusted.learn(account, settings);
    return isTrusted;
  }

  /** The address of ours that a peer there can send sound to; undefined where no route leads there. */
  hostFor(remote: string): string | undefined {
    const { host, more, port } = this.#parts.config().sip.listen;
    if (more.length === 0 && !WILDCARDS.includes(host)) return host;
    const literal = /^[0-9.]+$|:/.test(remote) ? remote : (this.#trusted.serverOf(undefined) ?? '127.0.0.1');
    const local = this.#parts.socket.localFor({ host: literal, port }).host;
    return isLoopback(local) && !isLoopback(literal) ? undefined : local;
  }

  accounts(): Status['accounts'] {
    const accounts = this.#parts.config().sip.accounts;
    return Object.fromEntries(
      Object.entries(accounts).map(([id, { uri, register }]) => {
        const state = this.userAgent.registration(id);
        if (this.#problem !== undefined) return [id, { aor: uri, state: 'failed', detail: this.#problem }];
        if (register) return [id, { aor: uri, state: state.is, detail: this.#detail(state) }];
        const reached = this.userAgent.reachability(id);
        if (reached?.is === 'unreachable')
          return [id, { aor: uri, state: 'failed', detail: `its server cannot be reached: ${reached.why}` }];
        const answers = reached === undefined ? '' : '; its server answers';
        return [id, { aor: uri, state: state.is, detail: `not registered by configuration${answers}` }];
      }),
    );
  }

  probe(request: ProbeRequest, done: (result: ProbeResult | { why: string }) => void) {
    const { config, socket } = this.#parts;
    const target = probeTarget(request, config());
    if ('why' in target) return done(target);
    if (this.#problem !== undefined) return done({ why: this.#problem });
    if (this.#probing) return done({ why: 'another probe is under way; wait for its end' });
    this.#probing = true;
    const { uri, account, transport } = target;
    const hasPassword = account !== undefined && config().sip.accounts[account]?.password !== undefined;
    this.userAgent.probe(account, { uri, transport, inspect: socket.inspect?.bind(socket) }, probed => {
      this.#probing = false;
      done(withAdvice(target, probed, hasPassword));
    });
  }

  sipStatus(): SipStatus {
    const { config, environment, socket } = this.#parts;
    const { accounts, listen, tls } = config().sip;
    const { userAgent, problem } = this;
    const { calls, transactions } = userAgent.alive;
    const hosts = [listen.host, ...listen.more];
    return {
      accounts: Object.fromEntries(
        Object.entries(accounts).map(([id, account]) => {
          return [id, accountStatus(account, userAgent.registrationReports(id), environment.clock.now())];
        }),
      ),
      listening: hosts.flatMap(host => [
        ...listen.transports.map(name => `${name} ${printAddress({ host, port: listen.port })}`),
        ...(tls.certificate === undefined ? [] : [`tls ${printAddress({ host, port: tls.port })}`]),
      ]),
      ...(problem !== undefined && { problem }),
      connections: socket.connections?.() ?? [],
      calls,
      transactions,
      counters: { ...userAgent.counters },
    };
  }

  #detail(state: RegistrationState): string {
    switch (state.is) {
      case 'registered': {
        const leftMs = state.untilMs - this.#parts.environment.clock.now();
        return `as ${state.contact}, refreshed within ${Math.max(0, Math.round(leftMs / 1000))} s`;
      }
      case 'failed':
        return `${state.status === undefined ? '' : `${state.status} `}${state.why}; tried again in ${Math.round(state.retryMs / 1000)} s`;
      case 'registering':
        return 'waiting for the registrar';
      case 'unregistered':
        return 'not registered';
    }
  }

  #reachability(account: string, state: Reachability) {
    const { events, config, changed } = this.#parts;
    if (this.#reached.get(account) !== state.is) {
      const why = state.is === 'unreachable' ? { why: state.why } : { status: state.status };
      events.tell('sip', state.is === 'reachable' ? 'server reached' : 'server not reached', { account, ...why });
    }
    this.#reached.set(account, state.is);
    const settings = config().sip.accounts[account];
    if (settings !== undefined) this.#trusted.learn(account, settings);
    changed();
  }

  #registration(account: string, state: RegistrationState) {
    const { environment, events, config, changed } = this.#parts;
    if (state.is === 'failed') {
      this.#registeredAs.delete(account);
      const { status, why, retryMs } = state;
      events.tell('sip', 'registration failed', { account, status, why, retryMs });
    }
    if (state.is === 'registered') {
      const forSeconds = Math.round((state.untilMs - environment.clock.now()) / 1000);
      // A refresh is no news.
      if (this.#registeredAs.get(account) !== state.contact)
        events.tell('sip', 'registered', { account, contact: state.contact, forSeconds });
      this.#registeredAs.set(account, state.contact);
      // The server's address may have changed since it was looked up.
      const settings = config().sip.accounts[account];
      if (settings !== undefined) this.#trusted.learn(account, settings);
    }
    changed();
  }
}
