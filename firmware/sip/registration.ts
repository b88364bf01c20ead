/** Keeps one account registered: REGISTER, its refresh, and patience when the registrar is away (RFC 3261 §10.2). */
import { type Address, isLoopback } from '../lib/address.ts';
import type { Account } from './account.ts';
import type { RegistrationReport, RegistrationState } from './contracts.ts';
import type { Core } from './core.ts';
import type { Exchange } from './exchange.ts';
import { KeepAlive } from './flow/keep-alive.ts';
import { SeenAddress } from './flow/seen-address.ts';
import { type Hop, sameHop } from './hop.ts';
import type { Response } from './message/message.ts';
import { reasonPhrase } from './message/status.ts';
import { flowTimerOf, grantedFor, grantsOutbound, serviceRouteOf } from './registrar-answer.ts';
import { leastPauseAfter, recoverAfter, refreshAfter, renewGapMs } from './registration-pace.ts';
import { RegistrationPatience } from './registration-patience.ts';
import { RegistrationRequests, type Sent } from './registration-request.ts';

const noNetwork = 'no network: is the cable or the switch away?';

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
  readonly #requests: RegistrationRequests;
  readonly #keepAlive: KeepAlive;
  readonly #patience: RegistrationPatience;
  readonly #seen: SeenAddress;
  #exchange: Exchange | undefined;
  #again = false;
  /** Not started yet, or told to stop. */
  #stopping = true;
  /** How often it was started or stopped: an answer to what was asked before changes nothing. */
  #turn = 0;
  /** The Contact that the registrar has of us, and until when by our clock. */
  #contact: string | undefined;
  #contactUntilMs = 0;
  /** Where the last REGISTER was accepted. */
  #server: Hop | undefined;
  /** The address that it was sent from. */
  #localHost: string | undefined;
  #isUp = true;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = () => {};
  #sinceMs: number | undefined;
  #nextMs: number | undefined;
  #last: RegistrationReport['last'];

  constructor(core: Core, account: Account, onState: (state: RegistrationState) => void, flow: FlowFacts) {
    this.account = account;
    this.#core = core;
    this.#onState = onState;
    this.#requests = new RegistrationRequests(core, account, flow.regId);
    this.#patience = new RegistrationPatience(core.random, flow.othersAreUp);
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
    const soonMs = recoverAfter(this.#core.random);
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
      this.#renew(returned ? recoverAfter(this.#core.random) : 0);
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
    this.#requests.unbind(this.#contact, finish);
  }

  #register() {
    this.#again = false;
    const exchange = this.#requests.bind(this.#contact, {
      onAnswer: (response, sent) => {
        if (this.#exchange !== exchange) return;
        this.#exchange = undefined;
        this.#note({ status: response.status, why: reasonOf(response), from: exchange.to });
        if (this.#stopping) return;
        if (response.status < 300) this.#granted(response, sent, exchange);
        else this.#refused(response);
      },
      onFailure: reason => {
        if (this.#exchange !== exchange) return;
        this.#exchange = undefined;
        const why = this.#isUp ? reason : noNetwork;
        this.#note({ why, from: exchange.to });
        if (!this.#stopping) this.#retryLater(why);
      },
    });
    this.#exchange = exchange;
  }

  #granted(response: Response, { contact, local }: Sent, { to, preferredAgainMs }: Exchange) {
    const { clock, random } = this.#core;
    const requests = this.#requests;
    requests.expiry.settled();
    this.#contact = contact;
    this.#server = to;
    this.#localHost = local.host;
    this.account.server = to;
    this.account.hasFlow = requests.asksForFlow && grantsOutbound(response);
    const learnt = this.#seen.learn(response, local);
    this.#keepAlive.follow(to, {
      settings: this.account.settings,
      flowTimerMs: flowTimerOf(response),
      hasFlow: this.account.hasFlow,
      isBehindNat: this.#seen.isBehindNat,
    });
    this.account.serviceRoute = serviceRouteOf(response);
    this.#patience.reset();
    const grantedMs = grantedFor(response, contact, requests.regId) ?? requests.expiry.ms;
    const untilMs = clock.now() + grantedMs;
    this.#contactUntilMs = untilMs;
    this.#tell({ is: 'registered', untilMs, contact });
    if (this.#again || learnt) {
      this.#register();
      return;
    }
    const refreshMs = refreshAfter(grantedMs, preferredAgainMs, random);
    this.#nextMs = clock.now() + refreshMs;
    this.#cancelTimer = clock.after(refreshMs, () => this.#register(), 'REGISTER refresh');
  }

  #refused(response: Response) {
    if (this.#requests.learnsFrom(response)) this.#register();
    else this.#retryLater(reasonOf(response), response.status, leastPauseAfter(response));
  }

  #retryLater(why: string, status?: number, leastMs = 0) {
    this.#requests.startOver();
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

const reasonOf = ({ status, reason }: Response) => (reason === '' ? reasonPhrase(status) : reason);
