/** Keeps one account registered: REGISTER, its refresh, and patience when the registrar is away (RFC 3261 §10.2). */
import type { Address } from '../lib/address.ts';
import type { Account } from './account.ts';
import type { RegistrationReport, RegistrationState } from './contracts.ts';
import type { Core } from './core.ts';
import { firstHop, makeRequest, newCallId } from './dialog/request.ts';
import { Exchange } from './exchange.ts';
import { KeepAlive } from './flow/keep-alive.ts';
import { Patience } from './flow/patience.ts';
import { SeenAddress } from './flow/seen-address.ts';
import { type Hop, sameHop } from './hop.ts';
import type { Request, Response } from './message/message.ts';
import { reasonPhrase } from './message/status.ts';
import { flowTimerOf, grantedFor, grantsOutbound, serviceRouteOf } from './registrar-answer.ts';
import { Redirects } from './session/redirects.ts';

/** Wrong credentials do not become right in seconds, and many registrars ban who insists. */
const credentialsRetryMs = 60_000;
const credentialsRefused = [401, 403, 404, 407];
/** A registrar that asks for more patience than this is not obeyed further. */
const retryAfterLimitMs = 3_600_000;
/** A registrar that grants seconds is not asked more often than this. */
const leastRefreshMs = 5_000;
/** A server that DNS prefers is tried again so much after it ceased to be avoided: not by all devices of a site at once. */
const returnSpreadMs = 5_000;
/** A registration is renewed when between these parts of its time have passed: before it ends, not with all others. */
const earliestRefresh = 0.8;
export const latestRefresh = 0.9;
/** A lost connection is opened again within this (RFC 5626 §4.5). */
export const recoveryMs = 2_000;
/** A link that comes and goes does not make more REGISTERs than one in this time. */
const renewGapMs = 2_000;
const noNetwork = 'no network: is the cable or the switch away?';
/** How often a registrar may find our time too short before one registration (423): it could go up by seconds. */
const tooBriefLimit = 3;
/** The longest registration that we accept from a 423. */
const expiresLimitMs = 86_400_000;

/** The way that a registration is one of. */
export interface FlowFacts {
  /** Its number (RFC 5626 §4.2). Absent: outbound is not spoken. */
  regId?: number;
  /** The account can be reached by another one. */
  othersAreUp(): boolean;
}

export class Registration {
  state: RegistrationState = { is: 'unregistered' };
  readonly account: Account;
  readonly #core: Core;
  readonly #onState: (state: RegistrationState) => void;
  readonly #flow: FlowFacts;
  readonly #keepAlive: KeepAlive;
  readonly #patience: Patience;
  readonly #seen: SeenAddress;
  readonly #callId: string;
  readonly #fromTag: string;
  #sequence = 0;
  #expiresMs: number;
  #exchange: Exchange | undefined;
  #again = false;
  /** Not started yet, or told to stop. */
  #stopping = true;
  /** How often it was started or stopped: an answer to what was asked before changes nothing. */
  #turn = 0;
  #tooBrief = 0;
  /** Where to register: elsewhere for once, where a 3xx says so (§8.1.3.4). */
  #registrar: string;
  #redirects: Redirects;
  /** The Contact that the registrar has of us, and until when by our clock. */
  #contact: string | undefined;
  #contactUntilMs = 0;
  /** Where the last REGISTER was accepted. */
  #server: Hop | undefined;
  /** The address that it was sent from. */
  #localHost: string | undefined;
  #isUp = true;
  /** A proxy on the way knows nothing of flows (439). */
  #lacksOutbound = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = () => {};
  #sinceMs: number | undefined;
  #nextMs: number | undefined;
  #last: RegistrationReport['last'];

  constructor(core: Core, account: Account, onState: (state: RegistrationState) => void, flow: FlowFacts) {
    this.#flow = flow;
    this.account = account;
    this.#core = core;
    this.#onState = onState;
    // §10.2: one Call-ID and growing numbers for all registrations of a boot.
    this.#callId = newCallId(core.random);
    this.#fromTag = core.random.token(8);
    this.#registrar = account.registrar;
    this.#redirects = new Redirects(this.#registrar, 1);
    this.#expiresMs = account.settings.expiresMs;
    this.#patience = new Patience(core.random, flow.othersAreUp);
    this.#seen = new SeenAddress(account);
    this.#keepAlive = new KeepAlive(core, (why, mapped) => {
      core.log.warn('registered anew', { account: account.settings.id, why });
      this.#renew(0, mapped);
    });
  }

  start() {
    this.#stopping = false;
    this.#turn++;
    this.#tell({ is: 'registering' });
    this.#register();
  }

  /** Registers again now; after the answer to a REGISTER that is on its way. */
  refresh() {
    if (this.#stopping) return;
    this.#cancelTimer();
    if (this.#exchange !== undefined) this.#again = true;
    else this.#register();
  }

  /** The connection that the registrar reaches us by is gone. */
  connectionLost(to: Hop) {
    if (this.#stopping || this.#server === undefined || !sameHop(this.#server, to)) return;
    // One that breaks under a REGISTER fails that, and the next attempt waits its turn.
    if (this.state.is !== 'registered' || this.#exchange !== undefined) return;
    this.#cancelTimer();
    // Not together with every other device of the site: a PBX that restarts loses all at once.
    const soonMs = recoveryMs * this.#core.random.next();
    this.#cancelTimer = this.#core.clock.after(soonMs, () => this.refresh(), 'REGISTER after a lost connection');
  }

  /** Addresses of this machine have come or gone; `isUp`: there is one. */
  networkChanged(isUp: boolean) {
    if (this.#stopping) return;
    const server = this.#server;
    // This machine itself is reached without any link.
    if (server !== undefined && isLoopback(server.host)) return;
    const returned = isUp && !this.#isUp;
    this.#isUp = isUp;
    if (!isUp) {
      this.#abandon();
      this.#retryLater(noNetwork);
    } else if (returned || this.#isReachedElsewhere) {
      // A switch that returns brings all devices of the site at once; an address changes for one.
      this.#renew(returned ? recoveryMs * this.#core.random.next() : 0);
    }
  }

  get #isReachedElsewhere() {
    const { state } = this;
    // Whoever refuses us is reached, and does not want to be asked sooner.
    if (state.is === 'failed') return state.status === undefined;
    const server = this.#server;
    if (state.is !== 'registered' || server === undefined) return true;
    return this.#core.transport.localFor(server).host !== this.#localHost;
  }

  /** Nothing that is on its way can be answered, and nothing that was learnt of a NAT is true any more. */
  #renew(delayMs: number, seen?: Address) {
    this.#abandon();
    this.#seen.forget(seen);
    this.#patience.reset();
    const nowMs = this.#core.clock.now();
    const waitMs = Math.max(delayMs, this.#renewedAtMs + renewGapMs - nowMs);
    this.#renewedAtMs = nowMs + waitMs;
    this.#tell({ is: 'registering' });
    this.#cancelTimer = this.#core.clock.after(waitMs, () => this.#register(), 'REGISTER from a new address');
  }

  #abandon() {
    this.#cancelTimer();
    this.#keepAlive.stop();
    this.#exchange?.abandon();
    this.#exchange = undefined;
    this.#again = false;
  }

  /** Takes our binding back. `done` is called when that has been answered or has failed; nothing stays armed. */
  stop(done: () => void) {
    this.#cancelTimer();
    this.#keepAlive.stop();
    this.#stopping = true;
    const turn = ++this.#turn;
    this.account.server = undefined;
    if (this.#contact === undefined && this.#exchange === undefined) {
      this.#tell({ is: 'unregistered' });
      done();
      return;
    }
    const finish = () => {
      // Started again meanwhile.
      if (turn !== this.#turn) return done();
      this.#contact = undefined;
      this.#tell({ is: 'unregistered' });
      done();
    };
    this.#send(
      (request, local) => {
        const contact = this.#contact ?? this.account.contact(local);
        request.headers.set('Contact', this.#contactValue(contact));
        request.headers.set('Expires', '0');
      },
      ({ status }) => {
        if (status >= 200) finish();
      },
      finish,
    );
  }

  #register() {
    let used: { contact: string; local: Hop } | undefined;
    this.#again = false;
    const exchange = this.#send(
      (request, local) => {
        used = { contact: this.account.contact(local), local };
        const seconds = Math.round(this.#expiresMs / 1000);
        request.headers.set('Contact', this.#contactValue(used.contact));
        // Our address has changed: the binding of the old one would ring nobody. That of a flow is replaced by itself.
        if (this.#contact !== undefined && this.#contact !== used.contact && !this.account.hasFlow) {
          request.headers.add('Contact', `<${this.#contact}>;expires=0`);
        }
        request.headers.set('Expires', String(seconds));
      },
      response => {
        if (response.status < 200 || this.#exchange !== exchange) return;
        this.#exchange = undefined;
        const why = response.reason === '' ? reasonPhrase(response.status) : response.reason;
        this.#note({ status: response.status, why, from: exchange.to });
        if (this.#stopping) return;
        if (response.status < 300) this.#granted(response, used!, exchange);
        else this.#refused(response);
      },
      why => {
        if (this.#exchange !== exchange) return;
        this.#exchange = undefined;
        this.#note({ why: this.#isUp ? why : noNetwork, from: exchange.to });
        if (!this.#stopping) this.#retryLater(this.#isUp ? why : noNetwork);
      },
    );
    this.#exchange = exchange;
  }

  get #asksForFlow() {
    return this.#flow.regId !== undefined && !this.#lacksOutbound;
  }

  /** RFC 5626 §4.2: which device, and by which of its ways. */
  #contactValue(uri: string) {
    const { instanceId } = this.#core.settings;
    return this.#asksForFlow ? `<${uri}>;+sip.instance="<${instanceId}>";reg-id=${this.#flow.regId}` : `<${uri}>`;
  }

  #send(
    prepare: (request: Request, local: Hop) => void,
    onResponse: (response: Response) => void,
    onFailure: (why: string) => void,
  ) {
    const { account } = this;
    const request = makeRequest({
      method: 'REGISTER',
      uri: this.#registrar,
      from: `${account.from};tag=${this.#fromTag}`,
      to: `<${account.settings.aor}>`,
      callId: this.#callId,
      sequence: ++this.#sequence,
      account,
      // RFC 3327 §4.1: proxies on the way may note themselves.
      headers: [['Supported', this.#asksForFlow ? 'path, outbound' : 'path']],
    });
    const nextSequence = () => ++this.#sequence;
    return new Exchange(this.#core, {
      request,
      nextHop: firstHop(request),
      account,
      nextSequence,
      prepare,
      keepsConnection: true,
      onResponse,
      onFailure,
    }).start();
  }

  #granted(
    response: Response,
    { contact, local }: { contact: string; local: Hop },
    { to, preferredAgainMs }: Exchange,
  ) {
    this.#contact = contact;
    this.#tooBrief = 0;
    this.#server = to;
    this.#localHost = local.host;
    this.account.server = to;
    this.account.hasFlow = this.#asksForFlow && grantsOutbound(response);
    const learnt = this.#seen.learn(response, local);
    this.#keepAlive.follow(to, {
      settings: this.account.settings,
      flowTimerMs: flowTimerOf(response),
      hasFlow: this.account.hasFlow,
      isBehindNat: this.#seen.isBehindNat,
    });
    this.account.serviceRoute = serviceRouteOf(response);
    this.#patience.reset();
    const grantedMs = grantedFor(response, contact, this.#flow.regId) ?? this.#expiresMs;
    const untilMs = this.#core.clock.now() + grantedMs;
    this.#contactUntilMs = untilMs;
    this.#tell({ is: 'registered', untilMs, contact });
    if (this.#again || learnt) {
      this.#register();
      return;
    }
    const part = earliestRefresh + (latestRefresh - earliestRefresh) * this.#core.random.next();
    const usualMs = grantedMs * part;
    // RFC 3263 §4.3 goes back with the next request; a call that waited for that would find the better server unproven.
    const backMs = (preferredAgainMs ?? Number.POSITIVE_INFINITY) + returnSpreadMs * this.#core.random.next();
    const refreshMs = Math.max(leastRefreshMs, Math.min(usualMs, backMs));
    this.#nextMs = this.#core.clock.now() + refreshMs;
    this.#cancelTimer = this.#core.clock.after(refreshMs, () => this.#register(), 'REGISTER refresh');
  }

  #refused(response: Response) {
    const { status, headers } = response;
    const least = 1000 * Number(headers.get('Min-Expires') ?? 0);
    // §10.2.8: too short for this registrar.
    if (status === 423 && least > this.#expiresMs && least <= expiresLimitMs && this.#tooBrief < tooBriefLimit) {
      this.#tooBrief++;
      this.#expiresMs = least;
      this.#register();
      return;
    }
    const elsewhere = this.#redirects.next(response);
    if (elsewhere !== undefined) {
      this.#registrar = elsewhere;
      this.#register();
      return;
    }
    // RFC 5626 §11.5, where we are the one to go on without.
    if (status === 439 && this.#asksForFlow) {
      this.#lacksOutbound = true;
      this.#register();
      return;
    }
    const why = response.reason === '' ? reasonPhrase(status) : response.reason;
    const askedMs = 1000 * Number.parseInt(headers.get('Retry-After') ?? '0', 10);
    const leastMs = credentialsRefused.includes(status) ? credentialsRetryMs : 0;
    this.#retryLater(why, status, Math.max(leastMs, Math.min(askedMs || 0, retryAfterLimitMs)));
  }

  #retryLater(why: string, status?: number, leastMs = 0) {
    this.#registrar = this.account.registrar;
    this.#redirects = new Redirects(this.#registrar, 1);
    this.#tooBrief = 0;
    const retryMs = Math.max(this.#patience.nextPause(), leastMs);
    if (this.#core.clock.now() >= this.#contactUntilMs) this.#contact = undefined;
    this.account.server = undefined;
    this.#keepAlive.stop();
    this.#tell({ is: 'failed', why, retryMs, ...(status !== undefined && { status }) });
    const retry = () => {
      if (this.#isUp) this.#tell({ is: 'registering' });
      this.#register();
    };
    this.#nextMs = this.#core.clock.now() + retryMs;
    this.#cancelTimer = this.#core.clock.after(retryMs, retry, 'REGISTER again');
  }

  get report(): RegistrationReport {
    return {
      state: this.state,
      server: this.#server,
      sinceMs: this.#sinceMs,
      nextMs: this.#nextMs,
      last: this.#last,
    };
  }

  #note(last: Omit<NonNullable<RegistrationReport['last']>, 'atMs'>) {
    this.#last = { ...last, atMs: this.#core.clock.now() };
  }

  #tell(state: RegistrationState) {
    if (state.is !== 'registered') this.#sinceMs = undefined;
    else this.#sinceMs ??= this.#core.clock.now();
    this.state = state;
    this.#onState(state);
  }
}

const isLoopback = (host: string) => /^127\.|^::1$/.test(host);
