/** Settings: SIP accounts and the sockets. */
import { field, section } from '../field.ts';
import { duration, ipAddress, line, list, named, oneOf, path, sipServer, sipUri, whole, yesOrNo } from '../types.ts';

const needs = 're-register';

const caller = section({
  password: field(line(128).min(1), { help: 'Proves that it is this caller.', secret: true, needs }),
});

const login = section({
  realm: field(line(128).min(1), {
    help: 'The realm that the server asks by, as `porter sip trace --full` shows it.',
    needs,
  }),
  username: field(line(128).min(1), { help: 'For that realm.', needs }),
  password: field(line(128), { help: 'For that realm.', secret: true, needs }),
});

const account = section({
  uri: field(sipUri(), { help: 'Address of record: who this device is to the PBX.', needs }),
  displayName: field(line(64).optional(), { help: 'Shown on the telephone that is called.', needs }),
  registrar: field(sipServer().optional(), { help: 'Where to register. By default the host of `uri`.', needs }),
  outboundProxy: field(sipServer().optional(), { help: 'Every request goes here first (RFC 3261 §8.1.2).', needs }),
  outboundProxies: field(list(sipServer(), 3).prefault([]), {
    help: 'Further proxies, beside `outboundProxy`: the device is registered through each of them at the same time and can be called as long as one works (RFC 5626). The registrar and the proxies must know outbound.',
    needs,
  }),
  outbound: field(oneOf(['auto', 'off']).prefault('auto'), {
    help: 'Whether the device offers the server to keep a lasting way to it (outbound, RFC 5626). `off`, if a server stumbles over it; `outboundProxies` then count for nothing.',
    needs,
  }),
  transport: field(oneOf(['udp', 'tcp', 'tls']).optional(), {
    help: 'How a server is reached whose URI names no transport. By default as DNS says (RFC 3263), else over UDP. A request above 1300 bytes goes over TCP all the same (RFC 3261 §18.1.1), unless `udp` stands here.',
    needs,
  }),
  username: field(line(128).optional(), { help: 'For digest authentication. By default the user of `uri`.', needs }),
  password: field(line(128).optional(), { help: 'For digest authentication.', secret: true, needs }),
  logins: field(named(login, 4).prefault({}), {
    help: 'Further user names and passwords, for servers that ask by another realm: a proxy of the provider, say. `username` and `password` answer every other realm.',
    needs,
  }),
  register: field(yesOrNo().prefault(true), {
    help: 'False: nothing is registered. A trunk, or calls from peer to peer.',
    needs,
  }),
  callers: field(named(caller, 16).prefault({}), {
    help: 'Who may call this device straight: user name and password of each, asked for by digest (SHA-256 or MD5). Who knows one counts as trusted, as `sip:NAME@` and the host of `uri`. Empty: anybody may call, and only the server is trusted.',
    needs,
  }),
  challengeServer: field(yesOrNo().prefault(false), {
    help: "With `callers`: the account's own server must know one of the passwords too.",
    needs,
  }),
  srtp: field(oneOf(['off', 'optional', 'required']).prefault('optional'), {
    help: 'Encrypted sound (SRTP, keys by SDES). `optional`: taken where it is offered, and offered where the signalling is encrypted too; `required`: no call without it.',
    needs,
  }),
  anonymous: field(yesOrNo().prefault(false), {
    help: 'Calls, texts and subscriptions do not tell who this device is; only the server learns it (RFC 3323, RFC 3325).',
    needs,
  }),
  ping: field(duration(0, 3_600_000).prefault('1 min'), {
    help: 'How often the server is asked whether it is there (OPTIONS), where the account does not register and names a `registrar` or an `outboundProxy`. `0 s` means never.',
    needs,
  }),
  publish: field(yesOrNo().prefault(false), {
    help: 'Tells the telephone system whether this device is free or in a call (PUBLISH, RFC 3903).',
    needs,
  }),
  events: field(list(oneOf(['check-sync']), 1).prefault([]), {
    help: 'What the telephone system tells only to who has subscribed. `check-sync`: look at the configuration now.',
    needs,
  }),
  expires: field(duration(10_000, 86_400_000).prefault('5 min'), {
    help: 'How long a registration is asked to last (RFC 3261 §10.2.1.1).',
    needs,
  }),
  keepAlive: field(oneOf(['auto', 'off', 'crlf', 'stun']).prefault('auto'), {
    help: 'How the way from the server to this device is kept open. Over UDP: `crlf` sends an empty line, which no server has to understand; `stun` also notices when a router has changed the way, if the server answers STUN (RFC 5626 §4.4). `auto`: `stun` where the server asks for it (Flow-Timer), `crlf` behind a NAT, otherwise nothing. Over TCP and TLS an empty line is sent, except with `off`.',
    needs,
  }),
  keepAliveEvery: field(duration(5_000, 600_000).optional(), {
    help: 'The longest pause between two of `keepAlive`; each is up to a fifth shorter. By default 29 s over UDP and 120 s over TCP and TLS, or as the server says.',
    needs,
  }),
});

export const sip = section({
  listen: section({
    host: field(ipAddress().prefault('0.0.0.0'), {
      help: 'Local address of the SIP sockets; `::` takes IPv6 and IPv4.',
      needs: 'restart sip',
    }),
    more: field(list(ipAddress(), 4).prefault([]), {
      help: 'Further local addresses, where a device has several and `host` is one of them.',
      needs: 'restart sip',
    }),
    port: field(whole(0, 65_535).prefault(5060), {
      help: 'Local port of UDP and TCP alike; 0 takes any free one.',
      needs: 'restart sip',
    }),
    transports: field(list(oneOf(['udp', 'tcp']), 2).prefault(['udp', 'tcp']), {
      help: 'What is listened for. Connections to servers are opened whatever stands here.',
      needs: 'restart sip',
    }),
  }).prefault({}),
  dscp: field(whole(0, 63).prefault(24), {
    help: 'Mark (DSCP) of SIP over UDP, by which switches and routers tell it apart: 24 is CS3. 0: no mark.',
    needs: 'restart sip',
  }),
  tls: section({
    port: field(whole(1, 65_535).prefault(5061), {
      help: 'Local TCP port of SIP over TLS; listened on where `certificate` is given.',
      needs: 'restart sip',
    }),
    certificate: field(path().optional(), {
      help: "This device's certificate and its chain, PEM: shown to servers that ask for it, and to callers.",
      needs: 'restart sip',
    }),
    key: field(path().optional(), {
      help: 'Private key of `certificate`, PEM. By default in the same file.',
      needs: 'restart sip',
    }),
    clientCertificates: field(oneOf(['off', 'require']).prefault('off'), {
      help: 'With `require` only who shows a certificate signed by `ca` may connect to the TLS port of this device (RFC 5922).',
      needs: 'restart sip',
    }),
    ca: field(path().optional(), {
      help: 'Who may sign the certificates of SIP servers, PEM. By default the public authorities.',
      needs: 'restart sip',
    }),
  }).prefault({}),
  maxCalls: field(whole(1, 32).prefault(1), {
    help: 'Calls at one time; one more is answered 486 Busy Here, or waits (`calls.waiting`).',
    needs: 'restart sip',
  }),
  serverTimeout: field(duration(1_000, 32_000).prefault('4 s'), {
    help: 'How long a server may say nothing before the next one is tried: where DNS names several, and with `registration: "serial"` that of the next account.',
    needs: 'restart sip',
  }),
  sessionTimer: field(duration(0, 86_400_000).prefault('30 min'), {
    help: 'How long a call lasts without a sign of life (RFC 4028), 90 s at least. `0 s`: only where the peer asks.',
    needs: 'restart sip',
  }),
  strangers: field(oneOf(['ignore', 'answer']).prefault('ignore'), {
    help: 'A request from an untrusted address that asks for a user or a host which is not of this device, or that comes from a known scanner: `ignore` gives no answer and counts it, `answer` treats it like any other. Trusted are the servers of the accounts and `calls.autoAnswer.trustedSources`.',
    needs: 'restart sip',
  }),
  registration: field(oneOf(['concurrent', 'serial']).prefault('concurrent'), {
    help: 'With several accounts: all register, or only the first that can (`serial`); then the next takes over while it is lost.',
    needs: 'restart sip',
  }),
  accounts: field(named(account, 8).prefault({}), {
    help: 'SIP accounts by name. Calls go by the first in this order that can call now.',
    needs,
  }),
});
