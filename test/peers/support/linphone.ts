/** linphonec as a telephone: commanded over its console, speaks a WAV, records what it hears. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';
import { rtpRange, sipPort } from './ports.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

export interface LinphoneSpec {
  /** Where it registers, and as whom. Absent: nowhere; it is `sip:<name>@127.0.0.1:<port>`. */
  account?: { aor: string; password: string; server: string; transport: 'udp' | 'tcp' | 'tls' };
  /** Whom it believes, PEM. */
  ca?: string;
  /** As `PCMA/8000`; nothing else is offered. */
  codec: string;
  /** SRTP with keys by SDES, insisted on. */
  encrypted?: boolean;
  /** A mono WAV. */
  voice: string;
}

export class Linphone {
  /** UDP and TCP. */
  readonly port: number;
  /** What it has heard: complete once it has stopped. */
  readonly recording: string;
  readonly #program: Program;
  /** Output up to here was looked at by `says`. */
  #seen = 0;

  constructor(port: number, recording: string, program: Program) {
    this.port = port;
    this.recording = recording;
    this.#program = program;
  }

  /** Types a line of its console: `call sip:…`, `answer`, `terminate`, `pause`, `resume`, `transfer …`. */
  type(line: string) {
    this.#program.type(line);
  }

  /** Waits until it prints this, after what was waited for last. */
  async says(text: RegExp, withinMs?: number) {
    const look = () => {
      this.#program.assertRunning();
      const hit = text.exec(this.#program.output().slice(this.#seen));
      if (hit === null) return undefined;
      this.#seen += hit.index + hit[0].length;
      return hit;
    };
    const options = { detail: () => this.story(), ...(withinMs !== undefined && { withinMs }) };
    return until(`linphone says ${text}`, look, options);
  }

  story() {
    return this.#program.tail();
  }

  /** Ends it as a person would, so that its recording is closed. */
  async stop() {
    this.type('quit');
    await this.#program.stop();
  }
}

/** Starts it and waits until it is registered, or listens. It is stopped with the bench. */
export async function startLinphone(bench: Bench, name: string, spec: LinphoneSpec): Promise<Linphone> {
  const folder = bench.room(`linphone-${name}`);
  const port = await sipPort();
  const { from } = await rtpRange();
  // It keeps its history here, and does not start where it cannot.
  mkdirSync(join(folder, '.local/share/linphone'), { recursive: true });
  const file = join(folder, 'linphonerc');
  writeFileSync(file, configuration(name, port, from, spec));
  const program = new Program('linphonec', ['-c', file, '-d', '0'], {
    log: join(folder, 'log'),
    cwd: folder,
    environment: { HOME: folder },
    typed: true,
  });
  bench.onStop(() => program.stop());
  const recording = join(folder, 'heard.wav');
  const linphone = new Linphone(port, recording, program);
  await linphone.says(/Warning: video is disabled/);
  linphone.type('soundcard use files');
  await linphone.says(/Using wav files/);
  linphone.type(`play ${spec.voice}`);
  linphone.type(`record ${recording}`);
  const { account } = spec;
  if (account !== undefined) {
    await until('linphone is registered', () => {
      linphone.type('status register');
      return linphone.says(/registered, identity=/, 1_000).catch(() => undefined);
    });
  }
  return linphone;
}

/** No sound card, no watching of the network, no wide band: what is not asked for is off. */
const configuration = (
  name: string,
  port: number,
  rtp: number,
  { account, ca, codec, encrypted = false }: LinphoneSpec,
) => {
  const [mime, rate] = codec.split('/');
  const user = account === undefined ? undefined : /^sip:([^@]+)@/.exec(account.aor)![1];
  return `[sip]
sip_port=${port}
sip_tcp_port=${port}
sip_tls_port=${account?.transport === 'tls' ? -1 : 0}
guess_hostname=0
contact="${name}" <sip:${name}@${HOST}>
auto_net_state_mon=0
register_only_when_network_is_up=0
media_encryption=${encrypted ? 'srtp' : 'none'}
media_encryption_mandatory=${encrypted ? 1 : 0}
ping_with_options=0
default_proxy=${account === undefined ? -1 : 0}
${ca === undefined ? '' : `root_ca=${ca}\n`}
[net]
mtu=1300

[rtp]
audio_rtp_port=${rtp}

[sound]
echocancellation=0

[video]
enabled=0
automatically_initiate=0
automatically_accept=0

[audio_codec_0]
mime=${mime}
rate=${rate}
channels=1
enabled=1
${[
  'speex/8000',
  'speex/16000',
  'speex/32000',
  'opus/48000',
  'PCMU/8000',
  'PCMA/8000',
  'GSM/8000',
  'G722/8000',
  'iLBC/8000',
  'BV16/8000',
  'L16/44100',
]
  .filter(other => other.toLowerCase() !== codec.toLowerCase())
  .map((other, index) => {
    const [otherMime, otherRate] = other.split('/');
    return `\n[audio_codec_${index + 1}]\nmime=${otherMime}\nrate=${otherRate}\nchannels=${otherMime === 'opus' ? 2 : 1}\nenabled=0`;
  })
  .join('\n')}
${
  account === undefined
    ? ''
    : `
[proxy_0]
reg_proxy=<sip:${account.server};transport=${account.transport}>
reg_identity=<${account.aor}>
reg_expires=600
reg_sendregister=1
publish=0

[auth_info_0]
username=${user}
passwd=${account.password}
`
}`;
};
