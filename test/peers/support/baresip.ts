/** baresip as a telephone without a screen: driven over its control port, speaks a WAV, records what it decodes. */
import { readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';
import { rtpRange, sipPort, tcpPort } from './ports.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

export interface BaresipSpec {
  /** The address of this machine that it calls from and is called at. Absent: loopback. */
  host?: string;
  /** Address of record, with the registrar's port. Absent: it registers nowhere, and is `sip:<name>@127.0.0.1:<port>`. */
  aor?: string;
  password?: string;
  /** How it reaches others where it registers nowhere. */
  transport?: 'udp' | 'tcp' | 'tls';
  /** PEM files: its certificate with the key, and whom it believes. TLS is on the port above `port`. */
  tls?: { certificate: string; ca: string };
  /** SRTP with keys by SDES: offered, or insisted on. */
  encryption?: 'srtp' | 'srtp-mand' | undefined;
  /** In baresip's words: `PCMA/8000/1`. */
  codecs: readonly string[];
  /** A mono WAV of 48,000 samples a second; it must last longer than the call. */
  voice: string;
}

export interface BaresipEvent {
  type: string;
  param?: string;
}

/** Where Debian puts its modules. */
const MODULES = '/usr/lib/baresip/modules';

export class Baresip {
  readonly events: BaresipEvent[] = [];
  readonly port: number;
  readonly rtp: { from: number; to: number };
  readonly #folder: string;
  readonly #program: Program;
  readonly #socket: Socket;
  readonly #answers = new Map<string, (answer: string) => void>();
  #read = Buffer.alloc(0);
  #tokens = 0;
  #seen = 0;

  constructor(parts: {
    port: number;
    rtp: { from: number; to: number };
    folder: string;
    program: Program;
    socket: Socket;
  }) {
    this.port = parts.port;
    this.rtp = parts.rtp;
    this.#folder = parts.folder;
    this.#program = parts.program;
    this.#socket = parts.socket;
    this.#socket.on('data', chunk => this.#hear(chunk));
    this.#socket.on('error', () => {});
  }

  /** Runs one of its commands (`dial`, `accept`, `hangup`, `hold`, `resume` …) and answers what it prints. */
  async command(command: string, params = ''): Promise<string> {
    const token = String(++this.#tokens);
    let answer: string | undefined;
    this.#answers.set(token, text => {
      answer = text;
    });
    const message = JSON.stringify({ command, params, token });
    // A netstring: the length in bytes, a colon, the bytes, a comma.
    this.#socket.write(`${Buffer.byteLength(message)}:${message},`);
    return until(`baresip answers ${command}`, () => answer, { detail: () => this.story() });
  }

  /** Waits for the next event of this type after the last one that was waited for. */
  async event(type: string, withinMs?: number): Promise<BaresipEvent> {
    const find = () => {
      this.#program.assertRunning();
      const at = this.events.findIndex((event, index) => index >= this.#seen && event.type === type);
      if (at < 0) return undefined;
      this.#seen = at + 1;
      return this.events[at];
    };
    const options = { detail: () => this.story(), ...(withinMs !== undefined && { withinMs }) };
    return until(`baresip ${type}`, find, options);
  }

  /** The keys that it has heard, in order. */
  keys(): string {
    const started = this.events.filter(({ type }) => type === 'CALL_DTMF_START');
    return started.map(({ param }) => param ?? '').join('');
  }

  /** What it decoded of the last call. Complete once the call has ended. */
  recording(): string {
    const decoded = readdirSync(this.#folder)
      .filter(name => name.endsWith('-dec.wav'))
      .sort();
    const last = decoded.at(-1);
    if (last === undefined) throw new Error(`baresip has recorded nothing:\n${this.story()}`);
    return join(this.#folder, last);
  }

  story(): string {
    return `${this.events.map(({ type, param }) => `${type} ${param ?? ''}`).join('\n')}\n--- log\n${this.#program.tail()}`;
  }

  close() {
    this.#socket.destroy();
  }

  #hear(chunk: Buffer) {
    this.#read = Buffer.concat([this.#read, chunk]);
    for (;;) {
      const colon = this.#read.indexOf(':');
      if (colon < 0) return;
      const end = colon + 1 + Number(this.#read.toString('latin1', 0, colon));
      if (this.#read.length <= end) return;
      const message = JSON.parse(this.#read.toString('utf8', colon + 1, end)) as {
        response?: boolean;
        token?: string;
        data?: string;
      } & BaresipEvent;
      this.#read = this.#read.subarray(end + 1);
      if (message.response) this.#answers.get(message.token ?? '')?.(message.data ?? '');
      else this.events.push(message);
    }
  }
}

/** Starts it and waits until it is registered. It is stopped with the bench. */
export async function startBaresip(bench: Bench, name: string, spec: BaresipSpec): Promise<Baresip> {
  const { host = HOST } = spec;
  const folder = bench.room(`baresip-${name}`);
  const port = await sipPort();
  const control = await tcpPort();
  const rtp = await rtpRange();
  writeFileSync(
    join(folder, 'config'),
    configuration({ host, port, control, rtp, folder, voice: spec.voice, tls: spec.tls }),
  );
  const { aor, password, transport = 'udp' } = spec;
  const user = aor === undefined ? name : /^sip:([^@]+)@/.exec(aor)![1];
  const account =
    aor === undefined
      ? `<sip:${name}@${host}:${transport === 'tls' ? port + 1 : port};transport=${transport}>;regint=0`
      : `<${aor}>;auth_user=${user};auth_pass=${password};regint=60`;
  const encryption = spec.encryption === undefined ? '' : `;mediaenc=${spec.encryption}`;
  writeFileSync(
    join(folder, 'accounts'),
    `${account};answermode=manual${encryption};audio_codecs=${spec.codecs.join(',')}\n`,
  );
  writeFileSync(join(folder, 'contacts'), '');
  const program = new Program('baresip', ['-f', folder, '-s'], { log: join(folder, 'log'), cwd: folder });
  bench.onStop(() => program.stop());
  const socket = await until(
    'baresip opens its control port',
    () => {
      program.assertRunning();
      return open(control);
    },
    { detail: () => program.tail() },
  );
  const baresip = new Baresip({ port, rtp, folder, program, socket });
  bench.onStop(() => baresip.close());
  if (aor === undefined) return baresip;
  // It may have registered before anybody listened.
  await until('baresip is registered', () => program.tail().includes('200 OK') || undefined, {
    detail: () => program.tail(),
  });
  return baresip;
}

const open = (port: number) =>
  new Promise<Socket | undefined>(resolve => {
    const socket = connect(port, HOST);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });

/** `net_interface` wants the address, not `lo`. One rate throughout: its file source does not convert. */
const configuration = (parts: {
  host: string;
  port: number;
  control: number;
  rtp: { from: number; to: number };
  folder: string;
  voice: string;
  tls: BaresipSpec['tls'];
}) => `sip_listen ${parts.host}:${parts.port}
${parts.tls === undefined ? '' : `sip_certificate ${parts.tls.certificate}\nsip_cafile ${parts.tls.ca}\n`}net_interface ${parts.host}
audio_source aufile,${parts.voice}
audio_player none
audio_alert none
ausrc_srate 48000
ausrc_channels 1
auplay_srate 48000
auplay_channels 1
rtp_ports ${parts.rtp.from}-${parts.rtp.to}
rtp_timeout 60
opus_stereo no
opus_sprop_stereo no
ctrl_tcp_listen ${HOST}:${parts.control}
snd_path ${parts.folder}
statmode_default off
module_path ${MODULES}
module g711.so
module g722.so
module opus.so
module aufile.so
module srtp.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
module_tmp uuid.so
`;
