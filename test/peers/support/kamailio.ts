/**
 * Kamailio as a PBX's proxy and registrar: digest for every request, users in memory, Record-Route. Who dials
 * `page-<user>` has that user asked to answer at once.
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
  stop(): Promise<unknown>;
}

/** `users`: name → password. `port`: that of one which has stopped. UDP and TCP. */
export async function startKamailio(
  bench: Bench,
  users: Readonly<Record<string, string>>,
  options: { port?: number } = {},
): Promise<Kamailio> {
  const room = bench.room(`kamailio-${options.port ?? ''}`);
  const port = options.port ?? (await sipPort());
  const file = join(room, 'kamailio.cfg');
  writeFileSync(file, configuration(port, users));
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
  return { port, aor: user => `sip:${user}@${HOST}:${port}`, stop: () => program.stop() };
}

/**
 * The alias carries its port: `127.0.0.1` alone would make every port of this machine Kamailio's own, and ACK and BYE
 * would never leave it.
 */
const configuration = (port: number, users: Readonly<Record<string, string>>) => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
alias="${HOST}:${port}"
${['kex', 'tm', 'sl', 'rr', 'pv', 'maxfwd', 'usrloc', 'registrar', 'textops', 'siputils', 'auth', 'htable']
  .map(name => `loadmodule "${name}.so"`)
  .join('\n')}
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
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("porter.test", "$sht(users=>$fU)", "0")) { www_challenge("porter.test", "1"); exit; }
    consume_credentials();
    save("location");
    exit;
  }
  if (!pv_proxy_authenticate("porter.test", "$sht(users=>$fU)", "0")) { proxy_challenge("porter.test", "1"); exit; }
  consume_credentials();
  record_route();
  # As a PBX pages: who is called with this prefix is asked to answer at once.
  if ($rU =~ "^page-") {
    $rU = $(rU{s.substr,5,0});
    append_hf("Call-Info: <sip:page>;answer-after=0\\r\\n");
  }
  if ($sht(users=>$rU) == $null) { sl_send_reply("404", "Not Found"); exit; }
  if (!lookup("location")) { sl_send_reply("480", "Temporarily Unavailable"); exit; }
  t_relay();
}
`;
