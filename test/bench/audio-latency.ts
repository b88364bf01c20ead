/** Mouth to ear through ALSA on a virtual sound card, beside baresip on the same card. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Bench } from '../peers/support/bench.ts';
import { until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { findChirps, RATE } from './chirps.ts';
import { CALLS, type Heard, inCall, LEARNING_MS, measured, several } from './heard.ts';
import { keep } from './keep.ts';
import { type PorterSpec, startPorter } from './porter.ts';
import { PCM, type SoundCard, startSoundCard } from './sound-card.ts';
import { within } from './within.ts';

const DRIVERS = { alsa: 'the driver alsa', packages: 'alsa-capture + speaker' } as const;
const NATIVE = resolve(import.meta.dirname, '../../node_modules');

export const audioLatency: Benchmark = {
  name: 'audio-latency',
  title: 'mouth to ear, on a virtual ALSA sound card, beside baresip',
  how:
    `Two devices, each its own process, one pages the other over loopback, 20 ms packets, ${CALLS} calls; chirps of 80 ms. ` +
    'PulseAudio null sink with the mouth on its left and the ear on its right side, recorded together, so that the time ' +
    'between is exact; includes PulseAudio’s own buffers, for everybody alike. Device: period 10 ms, buffer 40 ms, the ' +
    'default. Peer: baresip to baresip on the same card, its defaults. ' +
    `From ${LEARNING_MS / 1000} s after the answer on; earlier chirps are a figure of their own.`,
  async run(sheet, bench, { seconds, keep: folder }) {
    const card = await startSoundCard(bench);
    for (const codec of ['PCMA', 'opus'] as const) {
      const call = (pair: Pair, who: string) => () => {
        // Of several calls the last is kept.
        const kept = (heard: Int16Array) => keep(folder, `latency ${codec} ${who}`, RATE, heard);
        return within(bench, inner => oneCall(inner, { codec, card, seconds, pair, kept }));
      };
      const peer = baresipVersion && (await several(call(baresipPair, peerName)));
      const beside = peer ? { peer: { name: peerName, values: peer.settled } } : {};
      for (const driver of ['alsa', 'packages'] as const) {
        const name = `${codec} by ${DRIVERS[driver]}`;
        if (driver === 'packages' && !packagesAreBuilt()) {
          sheet.unavailable(name, 'alsa-capture and speaker are not built: run scripts/native');
          continue;
        }
        await measured(sheet, name, call(porterPair(driver), DRIVERS[driver]), beside);
      }
    }
  },
};

/** Puts two ends on the card and lets one call the other. Resolves when they talk. */
type Pair = (bench: Bench, codec: string, card: SoundCard) => Promise<void>;

interface OneCall {
  codec: string;
  card: SoundCard;
  seconds: number;
  pair: Pair;
  kept(heard: Int16Array): void;
}

async function oneCall(bench: Bench, { codec, card, seconds, pair, kept }: OneCall): Promise<Heard> {
  await pair(bench, codec, card);
  const { spoken, heard } = await card.record(LEARNING_MS / 1000 + seconds);
  kept(heard);
  return inCall(findChirps(spoken), findChirps(heard), 0, (spoken.length * 1000) / RATE);
}

const porterPair =
  (driver: 'alsa' | 'packages'): Pair =>
  async (bench, codec, { env }) => {
    const end = (user: string, capture: string, playback: string): PorterSpec => ({
      user,
      codecs: [codec],
      audio: { driver, capture, playback },
      env,
    });
    const listener = await startPorter(bench, end('listener', PCM.silence, PCM.ear));
    const speaker = await startPorter(bench, end('speaker', PCM.mic, PCM.aside));
    await listener.ready();
    await speaker.ready();
    await speaker.do(`page ${listener.uri}`);
    await until('the listener answers', async () => (await listener.status()).call.state === 'talking');
  };

const baresipPair: Pair = async (bench, codec, { env }) => {
  const listener = await startBaresip(bench, {
    user: 'listener',
    codec,
    source: `alsa,${PCM.silence}`,
    player: `alsa,${PCM.ear}`,
    env,
  });
  const listens = () => listener.process.tail().includes('ready') || listener.process.tail().includes('Local');
  await until('baresip listens', listens, { detail: () => listener.process.tail() });
  const speaker = await startBaresip(bench, {
    user: 'speaker',
    codec,
    source: `alsa,${PCM.mic}`,
    player: `alsa,${PCM.aside}`,
    calls: listener.uri,
    env,
  });
  const talks = () => speaker.process.tail().includes('Call established');
  await until('baresip talks to baresip', talks, { detail: () => speaker.process.tail() });
};

const packagesAreBuilt = () =>
  ['alsa-capture', 'speaker'].every(name => existsSync(join(NATIVE, name, 'build/Release/.built-for')));
