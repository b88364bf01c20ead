/** The SIP side of the device: socket, user agent, accounts, and whom to believe. */
import type { Config } from '../config/schema.ts';
import { isLoopback, printAddress } from '../lib/address.ts';
import type { CallHandler, Environment, IncomingInvite, SipUserAgent } from '../sip/contracts.ts';
import { type LinkChange, LinkWatch } from '../sip/transport/links.ts';
import { UserAgent } from '../sip/user-agent.ts';
import { AccountStates } from './account-states.ts';
import { subscribeToCheckSync } from './check-sync.ts';
import type { ActionResult, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';
import { SPARE_CALLS } from './incoming-calls.ts';
import { type ProbeRequest, type ProbeResult, probeTarget, withAdvice } from './sip-probe.ts';
import { KeptSocket, type SipSocket } from './sip-socket.ts';
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

export class Telephone {
  readonly userAgent: SipUserAgent;
  readonly #parts: TelephoneParts;
  readonly #trusted: TrustedSources;
  readonly #accounts: AccountStates;
  readonly #socket: KeptSocket;
  readonly #links: LinkWatch | undefined;
  #probing = false;
  readonly #watched: WatchedContacts;

  constructor(parts: TelephoneParts) {
    this.#parts = parts;
    this.#trusted = new TrustedSources((uri, transport, done) => this.userAgent.locate(uri, transport, done));
    const { environment, socket, tap, events, addresses, changed } = parts;
    const { clock, random } = environment;
    this.#accounts = new AccountStates({
      clock,
      events,
      userAgent: () => this.userAgent,
      accounts: () => parts.config().sip.accounts,
      onServer: account => this.#learnServerOf(account),
      changed,
    });
    this.#socket = new KeptSocket({
      clock,
      random,
      events,
      socket,
      receive: (bytes, from) => {
        tap.received(socket, from, bytes);
        this.userAgent.receive(bytes, from);
      },
      onOpenAgain: () => this.userAgent.refreshRegistrations(),
      onLost: to => this.userAgent.connectionLost(to),
      changed,
    });
    this.#links = addresses && new LinkWatch(clock, addresses, change => this.#networkChanged(change));
    const { sip, calls } = parts.config();
    this.userAgent = new UserAgent(
      { ...environment, transport: tap.on(socket) },
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
        onRegistration: (account, state) => this.#accounts.onRegistration(account, state),
        trusts: host => this.isTrusted(host, undefined),
        onIgnored: ignored => events.tell('sip', 'ignored', { ...ignored }),
        onReachability: (account, state) => this.#accounts.onReachability(account, state),
        notices: {
          trusts: ({ host }, account) => this.isTrusted(host, account),
          onCheckSync: ({ remote, account, asksForReboot }) => this.#checkSync(remote.uri, account, asksForReboot),
          onMessage: ({ remote, account, text }) =>
            events.tell('sip', 'message', { remote: remote.uri, account, text }),
        },
      },
    );
    const contacts = () => parts.config().contacts;
    this.#watched = new WatchedContacts({ userAgent: this.userAgent, events, contacts, changed });
  }

  start() {
    const { accounts } = this.#parts.config().sip;
    for (const [id, account] of Object.entries(accounts)) this.#trusted.learn(id, account);
    this.#socket.start();
    this.userAgent.start();
    this.#links?.start();
    this.#watched.update();
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

  /** Ends calls and registrations as far as the time allows, then closes the socket. */
  stop(limitMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#links?.stop();
      this.userAgent.stop(limitMs, () => {
        this.#socket.stop();
        resolve();
      });
    });
  }

  /** Why the socket, or one way into it, cannot be had. */
  get problem() {
    return this.#socket.problem;
  }

  /** Some account can place a call now; without accounts calls go from peer to peer. */
  get canCall(): boolean {
    return this.#socket.failure === undefined && this.#accounts.canCall;
  }

  isTrusted(source: string, account: string | undefined): boolean {
    const { sip, calls } = this.#parts.config();
    const isTrusted = this.#trusted.isTrusted(source, account, calls.autoAnswer.trustedSources);
    // An account that never registers has no other moment at which its server is looked up again; DNS is asked seldom.
    if (!isTrusted && account !== undefined && sip.accounts[account]?.register === false) this.#learnServerOf(account);
    return isTrusted;
  }

  #learnServerOf(account: string) {
    const settings = this.#parts.config().sip.accounts[account];
    if (settings !== undefined) this.#trusted.learn(account, settings);
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
    return this.#accounts.status(this.#socket.failure);
  }

  probe(request: ProbeRequest, done: (result: ProbeResult | { why: string }) => void) {
    const { config, socket } = this.#parts;
    const target = probeTarget(request, config());
    if ('why' in target) return done(target);
    if (this.#socket.failure !== undefined) return done({ why: this.#socket.failure });
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
}
