/** SIPp with a scenario of ours, as caller or as what is called. It judges by itself: exit code 0 is a pass. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';
import { sipPort } from './ports.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

const SCENARIOS = resolve(import.meta.dirname, '../sipp');
/** A scenario that has not ended by then has failed. Seconds. */
const TIMEOUT_S = 45;

export interface SippSpec {
  /** The port to use; absent: any free one. */
  port?: number;
  /** Whom a calling scenario calls, `host:port`; absent: it waits to be called. */
  to?: string;
  /** The user called: SIPp's `[service]`. */
  user?: string;
  /** Digest credentials. */
  username?: string;
  password?: string;
  /** Further `[words]` of the scenario. */
  keys?: Readonly<Record<string, string>>;
  timeoutS?: number;
  /** Its own address. Absent: `HOST`. */
  host?: string;
  /** Absent: UDP. */
  transport?: 'udp' | 'tcp';
  /** It is carried over TLS, and reached at this port: its Via and Contact say so. With `transport: 'tcp'`. */
  securePort?: number;
  /** Where its twin is met: the two legs of third-party call control (RFC 3725). Who listens there is started first. */
  twin?: { port: number; listens: boolean };
}

export class Sipp {
  readonly port: number;
  readonly #program: Program;
  readonly #folder: string;
  readonly #scenario: string;

  constructor(port: number, program: Program, folder: string, scenario: string) {
    this.port = port;
    this.#program = program;
    this.#folder = folder;
    this.#scenario = scenario;
  }

  /** Resolves when the scenario has been gone through; rejects with what SIPp says where it was not. */
  async passes() {
    const code = await this.#program.ended;
    // 0: all calls successful. 1: at least one failed. 97: timeout. 99, -1, -2: trouble of its own.
    if (code !== 0) throw new Error(`SIPp, ${this.#scenario}, ended with ${code}:\n${this.story()}`);
  }

  /** How often a line like this one stands in the messages so far, both ways. */
  count(line: RegExp): number {
    return this.#messages().filter(text => line.test(text)).length;
  }

  /** When the messages that begin with such a line went out or came in. Milliseconds since 1970. */
  times(line: RegExp): number[] {
    const times: number[] = [];
    let atMs = 0;
    for (const text of this.#messages()) {
      // Each is headed by dashes and the local time of this machine: `----- 2026-11-22 08:38:19.265252`.
      const heading = /^-{10,} (\S+) (\S+)$/.exec(text);
      if (heading !== null) atMs = Date.parse(`${heading[1]}T${heading[2]!.slice(0, 12)}`);
      else if (line.test(text)) times.push(atMs);
    }
    return times;
  }

  #messages(): string[] {
    const file = join(this.#folder, 'messages');
    return existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : [];
  }

  /** What it complained of, and the messages both ways. */
  story(): string {
    const read = (name: string) => {
      const file = join(this.#folder, name);
      return existsSync(file) ? readFileSync(file, 'utf8').slice(-8_000) : '';
    };
    return `${read('errors')}\n${read('messages')}`;
  }
}

/** Starts `test/peers/sipp/<scenario>.xml` for one call. One that waits is ready when this resolves. */
export async function startSipp(bench: Bench, scenario: string, spec: SippSpec = {}): Promise<Sipp> {
  const port = spec.port ?? (await sipPort());
  const folder = bench.room(`sipp-${scenario}-${port}`);
  const keys = Object.entries(spec.keys ?? {}).flatMap(([key, value]) => ['-key', key, value]);
  const file = join(folder, 'scenario.xml');
  writeFileSync(file, suited(readFileSync(join(SCENARIOS, `${scenario}.xml`), 'utf8'), spec));
  const args = [
    ...['-sf', file, '-m', '1', '-i', spec.host ?? HOST, '-p', String(port), '-nostdin'],
    ...['-trace_err', '-error_file', join(folder, 'errors'), '-trace_msg', '-message_file', join(folder, 'messages')],
    ...['-timeout', `${spec.timeoutS ?? TIMEOUT_S}s`, '-timeout_error', '-s', spec.user ?? 'front'],
    ...['-au', spec.username ?? 'front', '-ap', spec.password ?? 'front-secret', ...keys],
    // One connection for all.
    ...(spec.transport === 'tcp' ? ['-t', 't1'] : []),
    ...(spec.twin === undefined ? [] : ['-3pcc', `${HOST}:${spec.twin.port}`]),
    ...(spec.to === undefined ? [] : [spec.to]),
  ];
  const program = new Program('sipp', args, { log: join(folder, 'log'), cwd: folder });
  bench.onStop(() => program.stop('SIGKILL'));
  const listens = (what: 'udp' | 'tcp', where: number) => {
    const isOpen = () => {
      program.assertRunning();
      return openPorts(what).has(where);
    };
    return until(`SIPp listens on ${where}`, isOpen, { detail: () => program.tail() });
  };
  if (spec.to === undefined) await listens(spec.transport ?? 'udp', port);
  if (spec.twin?.listens) await listens('tcp', spec.twin.port);
  return new Sipp(port, program, folder, scenario);
}

/** The scenario for another transport than UDP: who is to be reached over a connection says so in Contact. */
function suited(scenario: string, { transport = 'udp', securePort }: SippSpec): string {
  if (transport === 'udp') return scenario;
  const port = securePort === undefined ? '[local_port]' : String(securePort);
  const name = securePort === undefined ? 'tcp' : 'tls';
  return scenario
    .replaceAll(/^.*<!-- UDP alone.*\n/gm, '')
    .replaceAll(/^( *Contact: <sip:[^>]*\[local_ip\]):\[local_port\][^>]*>/gm, `$1:${port};transport=${name}>`)
    .replaceAll(
      /SIP\/2\.0\/\[transport\] \[local_ip\]:\[local_port\]/g,
      `SIP/2.0/${name.toUpperCase()} [local_ip]:${port}`,
    );
}

/** Local ports that are open now. */
function openPorts(transport: 'udp' | 'tcp'): Set<number> {
  const rows = readFileSync(`/proc/net/${transport}`, 'utf8').trim().split('\n').slice(1);
  return new Set(rows.map(row => Number.parseInt(row.trim().split(/\s+/)[1]!.split(':')[1]!, 16)));
}
