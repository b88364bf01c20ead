/**
 * A virtual sound card with a mouth and an ear that are recorded together: one stereo sink, so that the time between
 * its left side (what is spoken) and its right side (what is heard) is exact, whatever the recorder does.
 *
 *   pacat ──▶ mouth ──▶ left ┐                    ┌ right ◀── ear ◀── the loudspeaker of the one who listens
 *                            card ──▶ parec      card
 *   the microphone of the one who speaks ◀── mic ◀── left
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import { chirpRound, RATE } from './chirps.ts';
import { Measured, versionOf } from './processes.ts';
import { Unavailable } from './sheet.ts';

/** ALSA names on this card. `aside` and `silence`: for the directions that are not measured. */
export const PCM = { mic: 'mic', ear: 'ear', aside: 'aside', silence: 'silence' } as const;

const PLUG_IN = '/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so';
const PACKAGES = 'pulseaudio pulseaudio-utils libasound2-plugins';

/** A sound server that has not let go of something by then never will. */
const LOOKS = 100;

export interface SoundCard {
  /** For every process that shall find the card. */
  env: Record<string, string>;
  /** Speaks chirps and records both sides. */
  record(seconds: number): Promise<{ spoken: Int16Array; heard: Int16Array }>;
  /** The mouth speaks this, so many times. */
  speak(sound: Int16Array, times: number): void;
  /** What comes to the ear, as it comes. */
  listen(onHeard: (sound: Int16Array) => void): void;
  /** Takes one side away from whoever has it open; called once more, the result brings it back. */
  pull(side: 'microphone' | 'ear'): () => void;
}

/** Stopped with the bench. Throws `Unavailable` where PulseAudio or its ALSA plug-in is not installed. */
export async function startSoundCard(bench: Bench): Promise<SoundCard> {
  const missing = ['pulseaudio', 'pactl', 'pacat'].filter(command => versionOf(command, '--version') === undefined);
  if (globSync(PLUG_IN).length === 0) missing.push('the pulse plug-in of ALSA');
  if (missing.length > 0) throw new Unavailable(`${missing.join(', ')} missing: apt-get install ${PACKAGES}`);
  const room = bench.room('sound-card');
  const socket = join(room, 'native');
  mkdirSync(join(room, 'home'), { recursive: true });
  const env = {
    ALSA_CONFIG_PATH: join(room, 'asound.conf'),
    PULSE_RUNTIME_PATH: room,
    PULSE_STATE_PATH: join(room, 'state'),
    PULSE_SERVER: `unix:${socket}`,
    HOME: join(room, 'home'),
  };
  const pcm = (name: string, device: string) => `pcm.${name} { type pulse server "unix:${socket}" device ${device} }`;
  writeFileSync(
    env.ALSA_CONFIG_PATH,
    [
      '</usr/share/alsa/alsa.conf>',
      pcm(PCM.mic, 'microphone'),
      pcm(PCM.ear, 'ear'),
      pcm(PCM.aside, 'aside'),
      pcm(PCM.silence, 'aside.monitor'),
      '',
    ].join('\n'),
  );
  const sink = 'module-null-sink rate=48000 format=s16le';
  const side = (channel: string) => `channels=1 channel_map=mono master_channel_map=${channel} remix=no`;
  const program = (command: string, args: string[], name = command) => {
    const child = new Measured(command, args, { log: join(room, `${name}.log`), cwd: room, env });
    bench.onStop(() => child.stop());
    return child;
  };
  const server = program('pulseaudio', [
    ...['-n', '--daemonize=no', '--exit-idle-time=-1', '--disable-shm=yes', '--use-pid-file=no'],
    ...['--realtime=no', '--high-priority=no'],
    `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    `--load=module-cli-protocol-unix socket=${join(room, 'cli')}`,
    `--load=${sink} sink_name=card channels=2 channel_map=front-left,front-right`,
    `--load=${sink} sink_name=aside channels=1 channel_map=mono`,
    `--load=module-remap-sink sink_name=mouth master=card ${side('front-left')}`,
    `--load=module-remap-sink sink_name=ear master=card ${side('front-right')}`,
    `--load=module-remap-source source_name=microphone master=card.monitor ${side('front-left')}`,
  ]);
  const answers = () => {
    server.assertRunning();
    return spawnSync('pactl', ['info'], { env: { ...process.env, ...env }, stdio: 'ignore' }).status === 0;
  };
  await until('pulseaudio answers', answers, { detail: () => server.tail() });
  // Without a reader the first frame of a stream comes only after a second.
  for (const monitor of ['card.monitor', 'aside.monitor']) {
    program('sh', ['-c', `exec parec -d ${monitor} --latency-msec=5 --raw >/dev/null`], `awake-${monitor}`);
  }
  const raw = [`--rate=${RATE}`, '--format=s16le', '--raw'];
  const control = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('pactl', args, { env: { ...process.env, ...env }, encoding: 'utf8' });
    if (status !== 0) throw new Error(`pactl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  let console: Socket | undefined;
  /** What `pactl` cannot. */
  const tell = (command: string) => {
    console ??= connect(join(room, 'cli'));
    console.write(`${command}\n`);
  };
  bench.onStop(() => void console?.destroy());
  return {
    env,
    speak(sound, times) {
      const speech = join(room, 'tone.raw');
      writeFileSync(speech, Buffer.concat(Array.from({ length: times }, () => Buffer.from(sound.buffer))));
      program('pacat', ['-d', 'mouth', ...raw, '--channels=1', '--latency-msec=40', speech], 'mouth');
    },
    listen(onHeard) {
      const args = ['-d', 'card.monitor', ...raw, '--channels=2', '--channel-map=front-left,front-right'];
      const child = spawn('parec', [...args, '--latency-msec=5'], { env: { ...process.env, ...env } });
      bench.onStop(() => void child.kill());
      child.stdout.on('data', (bytes: Buffer) => onHeard(sides(bytes).heard));
    },
    pull(side) {
      const rows = (what: string) =>
        control('list', 'short', what)
          .split('\n')
          .map(line => line.split('\t'));
      const [ends, streams] = side === 'ear' ? ['sinks', 'sink-inputs'] : ['sources', 'source-outputs'];
      const [end] = rows(ends).find(([, name]) => name === side)!;
      const open = rows(streams).filter(row => row[1] === end);
      const [index, name, options] = rows('modules').find(row => row[2]?.includes(`_name=${side} `))!;
      // Else the server would take the new source for its best, and give it to the recorder too.
      control('set-default-source', 'card.monitor');
      control('unload-module', index!);
      // It answers before it has done so, and who is refused then opens it anew.
      for (let looks = 0; rows(ends).some(([, name]) => name === side); looks++)
        if (looks === LOOKS) throw new Error(`the ${side} stays`);
      // The server gives them another end instead. With a card that is pulled out they would be gone.
      for (const [stream] of open) tell(`kill-${streams.slice(0, -1)} ${stream}`);
      return () => void control('load-module', name!, ...options!.split(' '));
    },
    async record(seconds) {
      const speech = join(room, 'speech.raw');
      const once = chirpRound();
      const rounds = Math.ceil((seconds + 2) / (once.length / RATE));
      writeFileSync(speech, Buffer.concat(Array.from({ length: rounds }, () => Buffer.from(once.buffer))));
      const recorded = join(room, 'recorded.raw');
      writeFileSync(recorded, '');
      const stereo = ['--channels=2', '--channel-map=front-left,front-right', '--latency-msec=20'];
      const recorder = program('parec', ['-d', 'card.monitor', ...raw, ...stereo, recorded]);
      const speaker = program('pacat', ['-d', 'mouth', ...raw, '--channels=1', '--latency-msec=40', speech]);
      await passes(seconds * 1000);
      await speaker.stop();
      await recorder.stop();
      return sides(readFileSync(recorded));
    },
  };
}

function sides(bytes: Buffer): { spoken: Int16Array; heard: Int16Array } {
  const count = bytes.length >> 2;
  const spoken = new Int16Array(count);
  const heard = new Int16Array(count);
  for (let index = 0; index < count; index++) {
    spoken[index] = bytes.readInt16LE(index * 4);
    heard[index] = bytes.readInt16LE(index * 4 + 2);
  }
  return { spoken, heard };
}
