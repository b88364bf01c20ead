/** baresip in the device's place, where it is installed: the same role, the same account, as little else as it can be. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { HOST } from './porter.ts';
import { Measured, versionOf } from './processes.ts';

/** Where Debian puts its modules. */
const MODULES = '/usr/lib/baresip/modules';
const CODECS: Readonly<Record<string, string>> = { PCMA: 'PCMA/8000/1', opus: 'opus/48000/2' };

/** For many calls at once, each with RTCP. */
const RTP_PORTS = 400;

/** `baresip v1.0.0`, or undefined where it is not installed. */
export const baresipVersion: string | undefined = existsSync(MODULES)
  ? /v[\d.]+/.exec(versionOf('baresip', '-h') ?? '')?.[0]
  : undefined;
export const peerName = `baresip ${baresipVersion ?? ''}`.trim();

export interface BaresipSpec {
  user: string;
  registrarPort?: number;
  codec?: string;
  /** In its words: `alsa,default`, `aufile,FILE`. */
  source: string;
  /** Absent: nothing is played. */
  player?: string;
  rate?: number;
  /** Rings for ever instead of answering at once. */
  rings?: boolean;
  /** Calls this as soon as it runs. */
  calls?: string;
  env?: Record<string, string>;
}

export interface BaresipProcess {
  process: Measured;
  port: number;
  uri: string;
}

/** Stopped with the bench. */
export async function startBaresip(bench: Bench, spec: BaresipSpec): Promise<BaresipProcess> {
  const { user, registrarPort, codec = 'PCMA', source, player, rate, rings = false, calls, env = {} } = spec;
  const folder = mkdtempSync(join(bench.folder, `baresip-${user}-`));
  const port = await sipPort();
  const rtp = await rtpRange(RTP_PORTS);
  const sound = [
    `audio_source ${source}`,
    player === undefined ? 'audio_player none' : `audio_player ${player}`,
    'audio_alert none',
    ...(rate === undefined ? [] : [`ausrc_srate ${rate}`, `auplay_srate ${rate}`]),
    'ausrc_channels 1',
    'auplay_channels 1',
    'opus_stereo no',
    'opus_sprop_stereo no',
    // As we encode. By default it would take a complexity of 10, which costs twice as much, and encode as for music,
    // at 48 kHz and without copies for what is lost.
    'opus_complexity 5',
    'opus_application voip',
    'opus_samplerate 16000',
    'opus_inbandfec yes',
    'opus_packet_loss 10',
  ];
  const modules = ['g711', 'opus', source.split(',')[0]!];
  writeFileSync(
    join(folder, 'config'),
    `${[
      `sip_listen ${HOST}:${port}`,
      `net_interface ${HOST}`,
      `rtp_ports ${rtp.from}-${rtp.to}`,
      'statmode_default off',
      // Its default of 4 would refuse what is begun while others are being hung up. 0: no limit.
      'call_max_calls 0',
      ...sound,
      `module_path ${MODULES}`,
      ...modules.map(name => `module ${name}.so`),
      'module_app account.so',
      'module_app menu.so',
      'module_tmp uuid.so',
    ].join('\n')}\n`,
  );
  const domain = registrarPort === undefined ? `${HOST};transport=udp` : `${HOST}:${registrarPort}`;
  const register = registrarPort === undefined ? 'regint=0' : `regint=300;auth_user=${user};auth_pass=secret`;
  const mode = rings ? 'manual' : 'auto';
  writeFileSync(
    join(folder, 'accounts'),
    `<sip:${user}@${domain}>;answermode=${mode};audio_codecs=${CODECS[codec]};${register}\n`,
  );
  writeFileSync(join(folder, 'contacts'), '');
  const args = ['-f', folder, ...(calls === undefined ? [] : ['-e', `/dial ${calls}`])];
  const child = new Measured('baresip', args, { log: join(folder, 'log'), cwd: folder, env });
  bench.onStop(() => child.stop());
  return { process: child, port, uri: `sip:${user}@${HOST}:${port}` };
}
