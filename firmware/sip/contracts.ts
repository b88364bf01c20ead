/** What the controller and the user agent say to each other. A body is opaque here: SIP never looks into it. */
import type { Address } from '../lib/address.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { SipCounters } from './counters.ts';
import type {
  NoticeHandler,
  SubscriptionHandler,
  SubscriptionOptions,
  TextOptions,
  TextResult,
} from './event/contracts.ts';
import type { Hop, TransportName } from './hop.ts';
import type { Services } from './locate/services.ts';
import type { Malformed } from './message/message.ts';
import type { SipUri } from './message/uri.ts';
import type { Probed, ProbeOptions } from './probe.ts';

/** A message body with its Content-Type, byte for byte. */
export interface Body {
  contentType: string;
  bytes: Uint8Array;
}

/** Extra header fields, as [name, value]; the user agent adds everything that the protocol itself needs. */
export type HeaderFields = readonly (readonly [name: string, value: string])[];

export interface ConnectionKeepAlive {
  /** The longest pause. Absent: 120 s. 0: nothing is asked. */
  longestMs?: number;
  /** The server has said that it answers: one that is silent once is gone. */
  answers: boolean;
}

/** Sends messages; what arrives is handed to `UserAgent.receive`. */
export interface Transport {
  /** TCP and TLS can be used too. Absent: UDP alone. */
  readonly hasStreams?: boolean;
  /** The address that peers see, for Via and Contact, with the transport of `remote`; may depend on where it is. */
  localFor(remote: Hop): Hop;
  /**
   * Never throws; a failure is told to `onError` some time later. Over a connection that includes its end before an
   * answer came, where the message was a request.
   */
  send(bytes: Uint8Array, to: Hop, onError?: (error: Error) => void): void;
  /** How a connection that is kept is asked whether it still works (RFC 5626 §4.4.1); 0: not at all. */
  keepAlive?(to: Hop, how: ConnectionKeepAlive): void;
  /** Addresses of this machine have come, or these are gone: what was known of routes and connections may be wrong. */
  networkChanged?(gone: readonly string[]): void;
}

/**
 * Finds the addresses of a host name, in order of preference; `done` is called once, perhaps before returning. Without
 * addresses `why` says so; with `ttlMs` too, the name is known to have none. What is known may be kept for `ttlMs`;
 * absent: not at all.
 */
export type Resolve = (
  host: string,
  port: number | undefined,
  done: (addresses: readonly Address[], why?: string, ttlMs?: number) => void,
) => void;

export interface Environment {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  log: Log;
  transport: Transport;
  resolve: Resolve;
  /** NAPTR and SRV records (RFC 3263). Absent: only addresses are asked for. */
  services?: Services;
}

export type RegistrationState =
  | { is: 'unregistered' }
  | { is: 'registering' }
  /** `untilMs` by the environment's clock. */
  | { is: 'registered'; untilMs: number; contact: string }
  /** Tried again after `retryMs`. `status` is absent for a timeout or a transport error. */
  | { is: 'failed'; status?: number; why: string; retryMs: number };

/** How an account fares, for whoever looks after the device. Times by the environment's clock. */
export interface RegistrationReport {
  state: RegistrationState;
  /** Where the last REGISTER was accepted. */
  server: Hop | undefined;
  /** Since when it is registered without a gap. */
  sinceMs: number | undefined;
  /** When the next REGISTER is due. */
  nextMs: number | undefined;
  /** How the last REGISTER ended; `status` is absent where nobody answered. */
  last: { atMs: number; status?: number; why: string; from: Hop | undefined } | undefined;
}

/** Whether the server of an account that does not register answers. */
export type Reachability = { is: 'reachable'; status: number } | { is: 'unreachable'; why: string };

/** A name-addr as a person would want to see it. */
export interface Party {
  /** `sip:desk@example.org:5070`, without parameters. */
  uri: string;
  displayName?: string;
}

export type CallEnd =
  | { by: 'us' }
  | { by: 'them'; reason?: string }
  /** A final failure response to our INVITE. */
  | { by: 'refusal'; status: number; reason: string }
  /** Nobody answered in time, in the words of the layer that gave up. */
  | { by: 'failure'; why: string };

/** One dialog's life, either direction. Methods that make no sense in the present state are ignored and logged. */
export interface Call {
  /** Call-ID. */
  readonly id: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly account: string | undefined;
  readonly remote: Party;
  readonly state: 'inviting' | 'ringing' | 'answered' | 'confirmed' | 'ended';

  /** Incoming: 180, or 183 with a body (early media). May be called again. */
  ring(body?: Body): void;
  /** Incoming: 182 (RFC 3261 §21.1.4), said again each minute: all lines are busy. */
  queue(): void;
  /** Incoming: 200 with the answer (or with the offer, where the INVITE had none). */
  accept(body: Body, headers?: HeaderFields): void;
  /** Incoming: a final refusal. `reason` defaults to the RFC's phrase. */
  refuse(status: number, reason?: string, headers?: HeaderFields): void;
  /**
   * CANCEL, BYE or a refusal (480 while ringing): whatever ends it now. Safe in every state. `onEnded` is called before
   * this (or `refuse`) returns; what the protocol still has to say goes on by itself.
   */
  hangUp(): void;
  /**
   * A new offer inside the call (RFC 3261 §14). Ends in `onReoffered`: at once with 491 where another is open. `repairs`:
   * our address has changed, so a peer that cannot be reached does not end the call (408, 503): it may be tried again.
   */
  reoffer(body: Body, repairs?: boolean): void;
  /** A key told by INFO, for a peer that takes no RTP events. Several are sent one after the other. */
  sendKey(key: string, durationMs: number): void;
  /**
   * Has the peer call a SIP URI in our place (REFER). `replacing`: a call of ours with that target, whose place is taken
   * (an attended transfer). How it goes comes as `onTransferred`; this call goes on until it is hung up.
   */
  transfer(target: string, replacing?: Call): void;
  /** What names this call to somebody who is to take its place (RFC 3891), once there is a dialog. */
  readonly replacesValue: string | undefined;
}

/** The peer wants us to call somebody else (RFC 3515). */
export interface Transfer {
  /** A SIP URI. */
  target: string;
  /** For our INVITE: Replaces (an attended transfer) and Referred-By. */
  headers: HeaderFields;
  replaces: boolean;
  referredBy?: Party;
}

export interface CallHandler {
  /** Outgoing: 1xx above 100. A body is an early answer (RFC 3261 §13.2.1). */
  onProgress(status: number, reason: string, body: Body | undefined): void;
  /** The dialog is up. Outgoing: `body` is the answer in the 200; incoming: the body of the ACK, if any. */
  onAnswered(body: Body | undefined): void;
  /** A re-INVITE: answer at once with `accept(body)` or `refuse(488)`. `body` is absent where the peer wants our offer. */
  onOffer(
    body: Body | undefined,
    answer: { accept(body: Body): void; refuse(status: number, reason?: string): void },
  ): void;
  /**
   * How our own `reoffer` ended: the answer, or the status that refused it (the call goes on as it was). Also the answer
   * in the ACK where the peer wanted our offer (`onOffer` without a body).
   */
  onReoffered(result: { body: Body } | { status: number; reason: string }): void;
  /** The call is to be shown alive by a re-INVITE (RFC 4028 §7.4): what it offers. Ends in `onReoffered`. */
  onRefresh(): Body;
  /** A key, told by INFO. The same press may come as sound or as RTP event too. `*`, `#`, `0` … `9`, `A` … `D`. */
  onKey?(key: string, durationMs: number): void;
  /**
   * REFER: answer at once. What `accept` gives is told each status that the new call meets; from 200 on it was the last.
   * Absent: refused.
   */
  onTransfer?(
    transfer: Transfer,
    answer: { accept(): (status: number) => void; refuse(status: number, reason?: string): void },
  ): void;
  /** NOTIFY `talk`: the peer wants this call answered, or taken off hold. Absent: such NOTIFYs are refused. */
  onTalk?(source: Hop): void;
  /** NOTIFY `hold`: the peer wants us to hold this call. */
  onHold?(source: Hop): void;
  /** What the peer says of the call that our `transfer` asked for; from 200 on it was the last word. */
  onTransferred?(status: number): void;
  /** Exactly once, the last thing said of this call. */
  onEnded(end: CallEnd): void;
}

export interface IncomingInvite {
  readonly call: Call;
  /** Where the datagram came from: for allow lists. */
  readonly source: Hop;
  readonly body: Body | undefined;
  /** The call of ours that this one wants to take the place of (RFC 3891): who may is the controller's to say. */
  readonly replaces: Call | undefined;
  /** Who calls, proven by a password of `AccountSettings.callers`: the user name at the account's host. */
  readonly authenticated: Party | undefined;
  /** Who calls, in the word of the network (P-Asserted-Identity): to be believed of the account's server only. */
  readonly asserted: Party | undefined;
  /** All values of a header field, in order, by any-case name; compact forms are resolved. */
  header(name: string): readonly string[];
  /** Parameters of the Request-URI, lower-case names. */
  readonly uriParameters: Readonly<Record<string, string | true>>;
  /** The user part of the Request-URI, unescaped. */
  readonly toUser: string | undefined;
}

export interface UserAgentHandler {
  /** Absent: MESSAGE and SUBSCRIBE are methods that we do not have, and NOTIFY outside a call is of no subscription. */
  notices?: NoticeHandler;
  /** A new incoming call, already answered 100. Must return the handler of what follows. */
  onInvite(invite: IncomingInvite): CallHandler;
  onRegistration(account: string, state: RegistrationState): void;
  /** The server of an account with `pingMs` has answered, or has not. */
  onReachability?(account: string, state: Reachability): void;
  /**
   * Whose messages go first when there are too many, and who is never taken for a scanner. Absent: everybody, and
   * nothing is limited: a desk, a bench.
   */
  trusts?(host: string): boolean;
  /** Once a minute at most for each source, and six times in all. */
  onIgnored?(ignored: IgnoredMessages): void;
}

/** Messages of one source that were given no answer. */
export interface IgnoredMessages {
  /** Its address. */
  source: string;
  /** Of the last of them, in words. */
  why: string;
  /** Since this source was last told of. */
  messages: number;
}

export interface CallOptions {
  /** `sip:desk@example.org`, `tel:+49-30-123`, `4711`. */
  target: string;
  /** Which account calls; absent: the first that can. */
  account?: string;
  /** The offer. */
  body: Body;
  headers?: HeaderFields;
}

/** The whole SIP side of the device. Does no I/O of its own: `receive` takes, `Environment.transport` gives. */
export interface SipUserAgent {
  start(): void;
  /** Ends every call, unregisters, then calls `done` (at the latest after `limitMs`). Nothing stays armed. */
  stop(limitMs: number, done: () => void): void;
  receive(bytes: Uint8Array, from: Hop): void;
  /** A connection that was kept (`Hop.keep`) is gone: whoever registered by it does so again. */
  connectionLost(to: Hop): void;
  /** The hops that requests to a SIP URI would try, in order; `transport` counts where the URI names none. */
  locate(uri: string, transport: TransportName | undefined, done: (hops: readonly Hop[], why?: string) => void): void;
  /** The SIP URI that a call to this target would go to, by this account or by the first that can; or why not. */
  targetUri(target: string, account: string | undefined): SipUri | Malformed;
  /**
   * Throws for a target that cannot be called or an unknown account: check with `targetUri` first. After `stop` the
   * call has ended when this returns.
   */
  call(options: CallOptions, handler: CallHandler): Call;
  /** Asks a server with OPTIONS and tells each step. `account`: an id. `done` is called once, unless stopped before. */
  probe(account: string | undefined, options: ProbeOptions, done: (probed: Probed) => void): void;
  /**
   * Hears of a state for as long as it lasts, and asks again when it cannot be had. The returned function ends it.
   * Throws as `call` does.
   */
  subscribe(options: SubscriptionOptions, handler: SubscriptionHandler): () => void;
  /** MESSAGE (RFC 3428); `done` is called once. Throws as `call` does. */
  sendText(options: TextOptions, done: (result: TextResult) => void): void;
  /** Registers again now (a changed address, a returned link). */
  refreshRegistrations(): void;
  /**
   * Addresses of this machine have come or gone (`gone`). `isUp`: at least one is there. Registers again where we are
   * reached elsewhere now. Calls are repaired by who knows their sound: `Call.reoffer`.
   */
  networkChanged(isUp: boolean, gone: readonly string[]): void;
  registration(account: string): RegistrationState;
  /** More of the same, one for each way, the one that counts first; none for an account that does not register. */
  registrationReports(account: string): readonly RegistrationReport[];
  /** Undefined where nobody has been asked yet. */
  reachability(account: string): Reachability | undefined;
  readonly counters: SipCounters;
  /** Subscriptions that others hold with us. */
  readonly watchers: number;
  /** What is still alive: for diagnostics, and for tests that nothing outlives its owner. */
  readonly alive: { transactions: number; calls: number; timers: number };
}
