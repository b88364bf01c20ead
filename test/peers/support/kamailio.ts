/**
 * Kamailio as a PBX's proxy and registrar: digest for every request, users in memory, Record-Route. Who dials
 * `page-<user>` has that user asked to answer at once. And Kamailio as an edge proxy, which notes itself in Path.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';
import { sipPort } from './ports.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

export interface Kamailio {
  port: number;
  /** Address of record of one of its users. */
  aor(user: string): string;
  /** What it has logged, with each request that it saw. */
  log(): string;
  stop(): Promise<unknown>;
}

export interface KamailioOptions {
  /** That of one which has stopped. TLS is on the one above. */
  port?: number;
  /** PEM files: TLS too. */
  tls?: { certificate: string; key: string; ca: string };
  /** Of the digest. Absent: MD5. */
  algorithm?: 'SHA-256';
  /** What its users belong to, where that is not its address. */
  domain?: string;
  /** It answers STUN on its SIP port and asks to be told so often that the way still works (Flow-Timer). */
  flowTimerS?: number;
  /** The port of another, which knows no users: this one hands everything on to it, and asks to be on the way back. */
  edgeOf?: number;
}

/** `users`: name → password. UDP and TCP, and TLS where it has a certificate. */
export async function startKamailio(
  bench: Bench,
  users: Readonly<Record<string, string>>,
  options: KamailioOptions = {},
): Promise<Kamailio> {
  const port = options.port ?? (await sipPort());
  const room = bench.room(`kamailio-${port}`);
  const file = join(room, 'kamailio.cfg');
  writeFileSync(
    file,
    options.edgeOf === undefined ? configuration(port, users, room, options) : edge(port, options.edgeOf),
  );
  if (options.tls !== undefined) writeFileSync(join(room, 'tls.cfg'), tlsConfiguration(options.tls));
  // -DD: in the foreground; 16 MB shared and 4 MB private memory are plenty for two users.
  const args = ['-f', file, '-DD', '-E', '-w', room, '-Y', room, '-m', '16', '-M', '4'];
  const program = new Program('kamailio', args, { log: join(room, 'log'), cwd: room });
  bench.onStop(() => program.stop());
  await until(
    'Kamailio listens',
    () => {
      program.assertRunning();
      return program.tail().includes('SO_RCVBUF is finally');
    },
    { detail: () => program.tail() },
  );
  const { domain = `${HOST}:${port}` } = options;
  return { port, aor: user => `sip:${user}@${domain}`, log: () => program.output(), stop: () => program.stop() };
}

const tlsConfiguration = ({
  certificate,
  key,
  ca,
}: {
  certificate: string;
  key: string;
  ca: string;
}) => `[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
certificate = ${certificate}
private_key = ${key}
ca_list = ${ca}
`;

const modules = (...names: string[]) => names.map(name => `loadmodule "${name}.so"`).join('\n');

/** RFC 3327: who registers through it is reached through it. */
const edge = (port: number, registrar: number) => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
alias="${HOST}:${port}"
${modules('kex', 'tm', 'sl', 'rr', 'pv', 'maxfwd', 'path', 'textops', 'siputils', 'xlog')}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  xlog("L_WARN", "edge: $rm\\n");
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  # A route that names this proxy: from the registrar to the device by Path, or from the device, which has us as its proxy.
  loose_route();
  if (is_method("INVITE")) record_route();
  if (is_method("REGISTER")) {
    if (!is_supported("path")) { sl_send_reply("421", "Extension Required"); exit; }
    add_path();
  }
  if ($si == "${HOST}" && $sp == ${registrar}) { t_relay(); exit; }
  $du = "sip:${HOST}:${registrar}";
  t_relay();
}
`;

/**
 * The alias carries its port: `127.0.0.1` alone would make every port of this machine Kamailio's own, and ACK and BYE
 * would never leave it.
 */
const configuration = (
  port: number,
  users: Readonly<Record<string, string>>,
  room: string,
  { tls, algorithm, domain, flowTimerS }: KamailioOptions,
) => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
${tls === undefined ? '' : `listen=tls:${HOST}:${port + 1}\nenable_tls=yes\n`}alias="${HOST}:${port}"
${domain === undefined ? '' : `alias="${domain}"\n`}${modules(
  ...(tls === undefined ? [] : ['tls']),
  ...(flowTimerS === undefined ? [] : ['stun']),
  ...[
    'kex',
    'tm',
    'sl',
    'rr',
    'pv',
    'maxfwd',
    'usrloc',
    'registrar',
    'textops',
    'siputils',
    'auth',
    'htable',
    'nathelper',
  ],
  'xlog',
)}
${tls === undefined ? '' : `modparam("tls", "config", "${join(room, 'tls.cfg')}")\n`}${
  algorithm === undefined ? '' : `modparam("auth", "algorithm", "${algorithm}")\n`
}modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("htable", "htable", "users=>size=4;")
modparam("auth", "qop", "auth")
modparam("tm", "fr_timer", 5000)
modparam("registrar", "min_expires", 5)

event_route[htable:mod-init] {
${Object.entries(users)
  .map(([name, password]) => `  $sht(users=>${name}) = "${password}";`)
  .join('\n')}
}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) {
      if ($du == "") handle_ruri_alias();
      t_on_reply("ANSWERED");
      t_relay();
      exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  xlog("L_WARN", "$rm from $fU over $pr\\n");
  # Over a connection it is reached by that connection alone.
  if ($pr != "udp") fix_nated_register();
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("porter.test", "$sht(users=>$fU)", "0")) { www_challenge("porter.test", "1"); exit; }
    consume_credentials();
    ${flowTimerS === undefined ? '' : `append_to_reply("Flow-Timer: ${flowTimerS}\\r\\n");`}
    save("location");
    exit;
  }
  if (!pv_proxy_authenticate("porter.test", "$sht(users=>$fU)", "0")) { proxy_challenge("porter.test", "1"); exit; }
  consume_credentials();
  record_route();
  if ($pr != "udp") set_contact_alias();
  # As a PBX pages: who is called with this prefix is asked to answer at once.
  if ($rU =~ "^page-") {
    $rU = $(rU{s.substr,5,0});
    append_hf("Call-Info: <sip:page>;answer-after=0\\r\\n");
  }
  if ($sht(users=>$rU) == $null) { sl_send_reply("404", "Not Found"); exit; }
  if (!lookup("location")) { sl_send_reply("480", "Temporarily Unavailable"); exit; }
  t_on_reply("ANSWERED");
  t_relay();
}

onreply_route[ANSWERED] {
  if ($pr != "udp") set_contact_alias();
}
`;
