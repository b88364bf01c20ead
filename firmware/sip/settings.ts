/** What the user agent is told when it is made: its accounts, and how it is to behave. */
import type { TransportName } from './hop.ts';

/** What one realm knows us by (RFC 3261 §22.1). */
export interface Login {
  realm: string;
  username: string;
  password: string;
}

export interface AccountSettings {
  id: string;
  /** Address of record: `sip:front@example.org`. */
  aor: string;
  displayName?: string;
  /** Where to register: `sip:192.0.2.1:5060`. Absent: the domain of `aor`. */
  registrar?: string;
  /** Requests outside a dialog go here first (RFC 3261 §8.1.2); inside one its route set rules (§12.2.1.1). */
  outboundProxy?: string;
  /** Further ones: the account is registered through each (RFC 5626), and calls go by the first that works. At most 3. */
  outboundProxies?: readonly string[];
  /** Whether flows are offered to the registrar (RFC 5626), where there is an `instanceId`. Absent: `auto`. */
  outbound?: 'auto' | 'off';
  /** Credentials; `username` defaults to the user of `aor`. */
  username?: string;
  password?: string;
  /** For those realms, in place of the above. */
  logins?: readonly Login[];
  /** False: peer to peer, nothing is registered. */
  register: boolean;
  /** Who may call straight, past the server: others are challenged. Empty or absent: anybody may. */
  callers?: readonly { username: string; password: string }[];
  /** The account's own server is challenged too. */
  challengeServer?: boolean;
  /** Calls, texts and the like do not tell who we are (RFC 3323); the server is told apart (RFC 3325). */
  anonymous?: boolean;
  expiresMs: number;
  /** Its presence is told to the server: there, or on the phone (RFC 3903). */
  publish?: boolean;
  /** How the way from the registrar to us is kept open (RFC 5626 §4.4). Absent: `auto`. */
  keepAlive?: 'auto' | 'off' | 'crlf' | 'stun';
  /** The longest pause between two. Absent: 29 s over UDP, 120 s over a connection. The registrar may want less. */
  keepAliveMs?: number;
  /** How often the server of an account that does not register is asked whether it is there. 0 or absent: never. */
  pingMs?: number;
  /** How servers are reached whose URI does not say. Absent: as DNS says, else UDP. */
  transport?: TransportName;
}

export interface UserAgentSettings {
  /**
   * What becomes of a request from an untrusted source (`UserAgentHandler.trusts`) for a user or a host that is not
   * ours, or of a known scanner. Absent: answered like any other.
   */
  strangers?: 'ignore' | 'answer';
  /** Names this device for its whole life: `urn:uuid:…` (RFC 5626 §4.1). Absent: no outbound. */
  instanceId?: string;
  accounts: readonly AccountSettings[];
  /** User-Agent and Server header. */
  product: string;
  /** An incoming INVITE above this many calls (either way) is answered 486. */
  maxCalls: number;
  /** So many INVITEs above `maxCalls` are handed over all the same: to wait, or to take another's place. Absent: 0. */
  spareCalls?: number;
  /** An outgoing INVITE without a final answer is cancelled after this. Milliseconds. */
  ringLimitMs: number;
  /** 3xx are followed at most this often for one call. 0: never. */
  maxRedirects: number;
  /** A server that says nothing for so long is passed over, where DNS names another. Absent: `serverTimeoutMs`. */
  serverTimeoutMs?: number;
  /** Only the first account that can be registered is; the next takes over when it is lost. Absent: all are. */
  serialRegistration?: boolean;
  /** False: a call that an account's server cannot take is not tried by the next account. */
  tryNextAccount?: boolean;
  /** The session interval that is asked for (RFC 4028), 90 s at least. 0 or absent: only where the peer asks. */
  sessionExpiresMs?: number;
}
