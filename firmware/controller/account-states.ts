/** How each account stands with its server: told as events where that is news, and in the status as a line for a person. */
import type { Clock } from '../../hal/contracts.ts';
import type { Config } from '../config/schema.ts';
import type { Reachability, RegistrationState, SipUserAgent } from '../sip/contracts.ts';
import type { Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';

export interface AccountStatesParts {
  clock: Clock;
  events: EventLog;
  userAgent(): SipUserAgent;
  accounts(): Config['sip']['accounts'];
  /** Its server has answered, or been sought: its address may have changed since it was looked up. */
  onServer(account: string): void;
  changed(): void;
}

export class AccountStates {
  readonly #parts: AccountStatesParts;
  /** Account → contact, as last told. */
  readonly #registeredAs = new Map<string, string>();
  /** Account → whether its server answers, as last told. */
  readonly #reached = new Map<string, Reachability['is']>();

  constructor(parts: AccountStatesParts) {
    this.#parts = parts;
  }

  onRegistration(account: string, state: RegistrationState) {
    const { clock, events, onServer, changed } = this.#parts;
    if (state.is === 'failed') {
      this.#registeredAs.delete(account);
      const { status, why, retryMs } = state;
      events.tell('sip', 'registration failed', { account, status, why, retryMs });
    }
    if (state.is === 'registered') {
      const forSeconds = Math.round((state.untilMs - clock.now()) / 1000);
      // A refresh is no news.
      if (this.#registeredAs.get(account) !== state.contact)
        events.tell('sip', 'registered', { account, contact: state.contact, forSeconds });
      this.#registeredAs.set(account, state.contact);
      onServer(account);
    }
    changed();
  }

  onReachability(account: string, state: Reachability) {
    const { events, onServer, changed } = this.#parts;
    if (this.#reached.get(account) !== state.is) {
      const why = state.is === 'unreachable' ? { why: state.why } : { status: state.status };
      events.tell('sip', state.is === 'reachable' ? 'server reached' : 'server not reached', { account, ...why });
    }
    this.#reached.set(account, state.is);
    onServer(account);
    changed();
  }

  /** Some account can place a call now; without accounts calls go from peer to peer. */
  get canCall(): boolean {
    const accounts = Object.entries(this.#parts.accounts());
    if (accounts.length === 0) return true;
    const userAgent = this.#parts.userAgent();
    return accounts.some(([id, { register }]) =>
      register ? userAgent.registration(id).is === 'registered' : userAgent.reachability(id)?.is !== 'unreachable',
    );
  }

  /** `failure`: why nothing can be sent or heard at all. */
  status(failure: string | undefined): Status['accounts'] {
    return Object.fromEntries(
      Object.entries(this.#parts.accounts()).map(([id, { uri: aor, register }]) => {
        if (failure !== undefined) return [id, { aor, state: 'failed', detail: failure }];
        return [id, { aor, ...(register ? this.#registration(id) : this.#reachability(id)) }];
      }),
    );
  }

  #registration(account: string) {
    const state = this.#parts.userAgent().registration(account);
    return { state: state.is, detail: this.#detail(state) };
  }

  #reachability(account: string) {
    const userAgent = this.#parts.userAgent();
    const reached = userAgent.reachability(account);
    if (reached?.is === 'unreachable')
      return { state: 'failed', detail: `its server cannot be reached: ${reached.why}` } as const;
    const answers = reached === undefined ? '' : '; its server answers';
    return { state: userAgent.registration(account).is, detail: `not registered by configuration${answers}` };
  }

  #detail(state: RegistrationState): string {
    switch (state.is) {
      case 'registered': {
        const leftMs = state.untilMs - this.#parts.clock.now();
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
}
