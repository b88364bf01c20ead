/**
 * A sound card without hardware: PulseAudio null sinks behind ALSA's pulse plug-in, paced by the real clock.
 *
 *   bench_mouth ──▶ mic sink ──▶ intercom_in        intercom_out ──▶ spk sink ──▶ bench_ear
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RealCard } from './support/sound-card.ts';

const START_TRIES = 100;
const START_WAIT_MS = 50;

export class VirtualSoundCard implements RealCard {
  readonly capture = 'intercom_in';
  readonly playback = 'intercom_out';
  readonly #folder = mkdtempSync(join(tmpdir(), 'porter-sound-'));
  readonly #processes = new Set<ChildProcess>();

  constructor() {
    mkdirSync(join(this.#folder, 'home'));
    writeFileSync(join(this.#folder, 'asound.conf'), asoundConf(join(this.#folder, 'native')));
  }

  /** What a process needs to have this card as ALSA's `default`; set it before libasound is loaded. */
  get env(): Record<string, string> {
    return {
      ALSA_CONFIG_PATH: join(this.#folder, 'asound.conf'),
      PULSE_RUNTIME_PATH: this.#folder,
      PULSE_STATE_PATH: join(this.#folder, 'state'),
      PULSE_SERVER: `unix:${this.#folder}/native`,
      HOME: join(this.#folder, 'home'),
    };
  }

  /** Resolves when the card can be opened. May be called again after `pull`. */
  async start() {
    const socket = join(this.#folder, 'native');
    rmSync(socket, { force: true });
    const sink = 'module-null-sink rate=48000 channels=1 channel_map=mono format=s16le';
    const log = openSync(join(this.#folder, 'pulseaudio.log'), 'a');
    this.#spawn('pulseaudio', log, [
      ...['-n', '--daemonize=no', '--exit-idle-time=-1', '--disable-shm=yes', '--use-pid-file=no'],
      ...['--realtime=no', '--high-priority=no'],
      `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
      `--load=${sink} sink_name=spk`,
      `--load=${sink} sink_name=mic`,
    ]);
    closeSync(log);
    for (let tries = 0; !this.#answers(); tries++) {
      if (tries === START_TRIES) throw new Error(`pulseaudio does not start: see ${this.#folder}/pulseaudio.log`);
      await delay(START_WAIT_MS);
    }
    await Promise.all(['mic.monitor', 'spk.monitor'].map(monitor => this.#keepAwake(monitor)));
  }

  /** Without a reader the first frame of a stream comes only after a second. */
  async #keepAwake(monitor: string) {
    const { stdout } = this.#spawn('parec', 'pipe', ['-d', monitor, '--latency-msec=5', '--raw']);
    await new Promise(resolve => stdout?.once('data', resolve));
    stdout?.resume();
  }

  /** Kills the sound server at once, as a pulled USB card would. */
  async pull() {
    const ended = [...this.#processes].map(
      child =>
        new Promise<void>(resolve =>
          child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve(),
        ),
    );
    for (const child of this.#processes) child.kill('SIGKILL');
    await Promise.all(ended);
    this.#processes.clear();
  }

  async stop() {
    await this.pull();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Plays mono 16-bit samples where the intercom's microphone hears them. The process ends with them. */
  speak(samples: Int16Array, rate: number): ChildProcess {
    const child = this.#spawn('aplay', 'ignore', ['-q', '-D', 'bench_mouth', ...raw(rate)], 'pipe');
    child.stdin?.on('error', () => {});
    child.stdin?.end(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    return child;
  }

  /** Records for `seconds` what the intercom's loudspeaker plays. */
  async listen(seconds: number, rate: number): Promise<Int16Array> {
    const child = spawn('arecord', ['-q', '-D', 'bench_ear', '-d', String(seconds), ...raw(rate)], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
  }

  #answers() {
    return spawnSync('pactl', ['info'], { env: { ...process.env, ...this.env }, stdio: 'ignore' }).status === 0;
  }

  #spawn(
    command: string,
    output: number | 'ignore' | 'pipe',
    args: string[],
    input: 'pipe' | 'ignore' = 'ignore',
  ): ChildProcess {
    const child = spawn(command, args, { env: { ...process.env, ...this.env }, stdio: [input, output, output] });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }
}

const raw = (rate: number) => ['-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(rate)];

const asoundConf = (socket: string) => `</usr/share/alsa/alsa.conf>
pcm.intercom_out { type pulse server "unix:${socket}" device spk }
pcm.intercom_in  { type pulse server "unix:${socket}" device mic.monitor }
pcm.bench_mouth  { type pulse server "unix:${socket}" device mic }
pcm.bench_ear    { type pulse server "unix:${socket}" device spk.monitor }
ctl.intercom_mixer { type pulse server "unix:${socket}" sink spk source mic.monitor }
pcm.stereo_only {
  type multi
  slaves.a { pcm "null" channels 2 }
  bindings.0 { slave a channel 0 }
  bindings.1 { slave a channel 1 }
}
pcm.!default { type asym playback.pcm "intercom_out" capture.pcm "intercom_in" }
`;
