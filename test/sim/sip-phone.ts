/** A user agent on a virtual network, with a controller that notes what it is told and does as a test says. */
import { type Address, printAddress } from '../../firmware/lib/address.ts';
import { type Log, silentLog } from '../../firmware/lib/log.ts';
import type {
  Body,
  Call,
  CallEnd,
  CallHandler,
  CallOptions,
  Environment,
  IncomingInvite,
  RegistrationState,
  Resolve,
  UserAgentHandler,
} from '../../firmware/sip/contracts.ts';
import type { Services } from '../../firmware/sip/locate/services.ts';
import type { RequestHandler } from '../../firmware/sip/requests.ts';
import type { AccountSettings, UserAgentSettings } from '../../firmware/sip/settings.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';
import type { LossyNetwork } from './lossy-network.ts';
import { seeded } from './seeded.ts';
import type { StreamNetwork } from './stream-network.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const sdp = (text: string): Body => ({ contentType: 'application/sdp', bytes: new TextEncoder().encode(text) });
export const textOf = (body: Body | undefined) => body && new TextDecoder().decode(body.bytes);

/** An error of our own code fails the test instead of a log line. */
export const strictLog: Log = {
  ...silentLog,
  error: (event, fields) => {
    throw new Error(event, { cause: fields?.error });
  },
  part: () => strictLog,
};

/** Names of the virtual world; IP literals are themselves. */
export const resolveFrom =
  (hosts: Record<string, readonly Address[]>): Resolve =>
  (host, port = 5060, done) => {
    if (/^[\d.]+$/.test(host) || host.includes(':')) done([{ host, port }]);
    else if (hosts[host] !== undefined) done(hosts[host]);
    else done([], `no such host: ${host}`);
  };

export interface PhoneOptions {
  address: Address;
  seed?: number;
  account?: Partial<AccountSettings>;
  /** No account at all. */
  anonymous?: boolean;
  settings?: Partial<UserAgentSettings>;
  hosts?: Record<string, readonly Address[]>;
  methods?: Readonly<Record<string, RequestHandler>>;
  onReachability?: UserAgentHandler['onReachability'];
  /** Serves NOTIFY and MESSAGE; these sources need no password. */
  trusts?: readonly string[];
  /** Serves NOTIFY `talk` and `hold` inside a call. */
  remoteControl?: boolean;
  /** Whom it trusts, and what it tells of those it ignores. Absent: nothing is limited. */
  admits?: Pick<UserAgentHandler, 'trusts' | 'onIgnored'>;
  /** Instead of `hosts`. */
  resolve?: Resolve;
  services?: Services;
  /** With it TCP and TLS too. */
  streams?: StreamNetwork;
}

export class Phone {
  readonly userAgent: UserAgent;
  readonly address: Address;
  /** What the user agent said, in order: `progress 180`, `answered answer`, `ended by them`. */
  readonly heard: string[] = [];
  readonly registrations: RegistrationState[] = [];
  readonly ends: CallEnd[] = [];
  /** The newest call, either direction. */
  call: Call | undefined;
  invite: IncomingInvite | undefined;
  /** What to do with a call that comes in. Default: rings, and waits for the test. */
  onInvite: (invite: IncomingInvite) => void = ({ call }) => call.ring();
  /** What to do with a re-INVITE. */
  onOffer: CallHandler['onOffer'] = (_, answer) => answer.accept(sdp('new answer'));
  /** What to do with a REFER. Absent: refused. */
  onTransfer: CallHandler['onTransfer'];
  readonly unplug: () => void;
  readonly #remoteControl: boolean;
  /** Its connections, where it has any. */
  readonly streams: ReturnType<StreamNetwork['host']> | undefined;

  constructor(clock: VirtualClock, network: LossyNetwork, options: PhoneOptions) {
    const { address, seed = 1, account, anonymous = false, settings, hosts = {}, methods = {}, trusts } = options;
    const { services, streams } = options;
    const wires = streams?.host(address, network, seeded(seed + 77));
    this.streams = wires;
    this.address = address;
    this.#remoteControl = options.remoteControl ?? false;
    const environment: Environment = {
      clock,
      wallClock: () => clock.now(),
      random: seeded(seed),
      log: strictLog,
      transport: wires?.transport ?? network.transport(address),
      resolve: options.resolve ?? resolveFrom(hosts),
      ...(services && { services }),
    };
    const first = {
      id: 'main',
      aor: `sip:user@${printAddress(address)}`,
      register: false,
      expiresMs: 300_000,
      ...account,
    };
    this.userAgent = new UserAgent(
      environment,
      {
        accounts: anonymous ? [] : [first],
        product: 'porter/test',
        maxCalls: 1,
        ringLimitMs: 60_000,
        maxRedirects: 5,
        ...settings,
      },
      {
        onInvite: invite => {
          this.call = invite.call;
          this.invite = invite;
          this.heard.push(`invite ${textOf(invite.body) ?? ''}`.trim());
          this.onInvite(invite);
          return this.handler();
        },
        ...options.admits,
        ...(trusts && {
          notices: {
            trusts: ({ host }) => trusts.includes(host),
            onCheckSync: ({ remote, account, asksForReboot }) =>
              void this.heard.push(`check-sync ${remote.uri} ${account} ${asksForReboot}`),
            onMessage: ({ text }) => void this.heard.push(`message ${text}`),
          },
        }),
        onRegistration: (_, state) => this.registrations.push(state),
        ...(options.onReachability && { onReachability: options.onReachability }),
      },
    );
    for (const [method, serve] of Object.entries(methods)) this.userAgent.onRequest(method, serve);
    wires?.attach(
      (bytes, from) => this.userAgent.receive(bytes, from),
      to => this.userAgent.connectionLost(to),
    );
    this.unplug = network.attach(address, (bytes, from) => this.userAgent.receive(bytes, from));
    this.userAgent.start();
  }

  dial(target: string, options: Partial<CallOptions> = {}): Call {
    this.call = this.userAgent.call({ target, body: sdp('offer'), ...options }, this.handler());
    return this.call;
  }

  handler(): CallHandler {
    const note = (...words: (string | number | undefined)[]) =>
      void this.heard.push(words.filter(word => word !== undefined && word !== '').join(' '));
    return {
      onProgress: (status, _reason, body) => note('progress', status, textOf(body)),
      onAnswered: body => note('answered', textOf(body)),
      onOffer: (body, answer) => {
        note('offer', textOf(body));
        this.onOffer(body, answer);
      },
      onReoffered: result => note('reoffered', 'body' in result ? textOf(result.body) : result.status),
      onRefresh: () => {
        note('refresh');
        return sdp('same offer');
      },
      ...(this.onTransfer && {
        onTransfer: (transfer, answer) => {
          note('transfer to', transfer.target, ...transfer.headers.map(([name, value]) => `${name}: ${value}`));
          this.onTransfer?.(transfer, answer);
        },
      }),
      onTransferred: status => note('transferred', status),
      ...(this.#remoteControl && {
        onTalk: ({ host }) => note('talk from', host),
        onHold: ({ host }) => note('hold from', host),
      }),
      onKey: (key, durationMs) => note('key', key, durationMs),
      onEnded: end => {
        this.ends.push(end);
        const detail = end.by === 'refusal' ? end.status : end.by === 'failure' ? end.why : undefined;
        note('ended by', end.by, detail, end.by === 'them' ? end.reason : undefined);
      },
    };
  }
}
