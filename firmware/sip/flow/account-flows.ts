/** The ways by which one account is registered: one, or one through each of its proxies (RFC 5626 §4.2). */
import type { Account } from '../account.ts';
import type { RegistrationReport, RegistrationState } from '../contracts.ts';
import type { Core } from '../core.ts';
import type { Hop } from '../hop.ts';
import { Registration } from '../registration.ts';
import { stopAll } from '../stop-all.ts';

/** Ways of one account, the first included. */
const flowLimit = 4;

export class AccountFlows {
  readonly account: Account;
  readonly #core: Core;
  readonly #onState: (state: RegistrationState) => void;
  readonly #flows: readonly Registration[];
  #told: RegistrationState | undefined;

  constructor(core: Core, account: Account, onState: (state: RegistrationState) => void) {
    this.account = account;
    this.#core = core;
    this.#onState = onState;
    const { outbound, outboundProxies = [] } = account.settings;
    // Without a name of our own each way would take the binding of the one before (§4.1).
    const speaksOutbound = outbound !== 'off' && core.settings.instanceId !== undefined;
    const others = speaksOutbound ? outboundProxies.slice(0, flowLimit - 1) : [];
    const accounts = [account, ...others.map(proxy => account.through(proxy, core.random))];
    this.#flows = accounts.map(
      (way, index) =>
        new Registration(core, way, state => this.#tell(way, state), {
          ...(speaksOutbound && { regId: index + 1 }),
          othersAreUp: () => this.#flows.some(other => other.account !== way && other.state.is === 'registered'),
        }),
    );
  }

  /** The account by the way that a request came (RFC 5626 §4.3); absent: by the first that works, for a new call. */
  way(source?: Hop): Account {
    const accounts = this.#flows.filter(({ state }) => state.is === 'registered').map(({ account }) => account);
    const sameWay = ({ server }: Account) =>
      source !== undefined && server !== undefined && server.host === source.host;
    return accounts.find(sameWay) ?? accounts[0] ?? this.account;
  }

  /** One way is enough to be called. */
  get state(): RegistrationState {
    const states = this.#flows.map(({ state }) => state);
    const best = (['registered', 'registering', 'failed'] as const).map(is => states.find(state => state.is === is));
    return best.find(state => state !== undefined) ?? states[0]!;
  }

  /** Of each way, the one that counts first. */
  get reports(): readonly RegistrationReport[] {
    const best = this.#flows.find(({ state }) => state === this.state)!;
    return [best, ...this.#flows.filter(flow => flow !== best)].map(({ report }) => report);
  }

  start() {
    for (const flow of this.#flows) flow.start();
  }

  refresh() {
    for (const flow of this.#flows) flow.refresh();
  }

  connectionLost(to: Hop) {
    for (const flow of this.#flows) flow.connectionLost(to);
  }

  networkChanged(isUp: boolean) {
    for (const flow of this.#flows) flow.networkChanged(isUp);
  }

  stop(done: () => void) {
    stopAll(this.#flows, done);
  }

  #tell(way: Account, state: RegistrationState) {
    const { state: whole } = this;
    if (state.is === 'failed' && whole !== state) {
      const { id, outboundProxy } = way.settings;
      this.#core.log.warn('one way to the registrar is down', { account: id, proxy: outboundProxy, why: state.why });
    }
    if (whole === this.#told) return;
    this.#told = whole;
    this.#onState(whole);
  }
}
