/** Mouth to ear: how long after a sound was made at one device it is heard at another. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseWav } from '../../hal/audio/wav.ts';
import { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { chirpRound, delays, findChirps, writeWav } from './chirps.ts';
import { type PorterSpec, startPorter } from './porter.ts';
import type { Sheet } from './sheet.ts';
import { Unavailable } from './sheet.ts';
import { PCM, type SoundCard, startSoundCard } from './sound-card.ts';

/** Calls for one figure. Each meets the clocks of the two sides at another phase. */
const CALLS = 3;
/** Jitter buffers learn for a while; what is heard before is counted apart. Milliseconds. */
const LEARNING_MS = 4_000;
const FRAME_MS = 10;
const FRAME_BYTES = 320;
const WAV_HEADER_BYTES = 44;
/** The two looks at a simulated card's clock, before and after the call, must agree. Milliseconds. */
const CLOCK_AGREES_MS = 4;
const CLOCK_LOOK_MS = 700;
/** Fewer chirps found than this share: what was measured was not a call. */
const LEAST_HEARD = 0.7;
const CODECS = ['PCMA', 'opus'] as const;
type Codec = (typeof CODECS)[number];
const NATIVE = resolve(import.meta.dirname, '../../node_modules');

export const latency: Benchmark = {
  name: 'latency',
  title: 'mouth to ear, on simulated and on virtual ALSA sound cards',
  how:
    `Two devices, each its own process, one calls the other over loopback, 20 ms packets, ${CALLS} calls; chirps of 80 ms ` +
    'are spoken at one and found by cross-correlation at the other. Simulated card: what the listener’s card was given, ' +
    'by file; both cards’ clocks are read off the growth of their files (±1 ms); a frame counts as spoken 10 ms before ' +
    'the card hands it over. ALSA: PulseAudio null sink with the mouth on its left and the ear on its right side, ' +
    'recorded together; includes PulseAudio’s own buffers, for everybody alike. Peer: baresip to baresip on the ' +
    `same card. From ${LEARNING_MS / 1000} s after the answer on; earlier chirps are a figure of their own.`,
  async run(sheet, bench, { seconds }) {
    for (const codec of CODECS) await measured(sheet, `${codec}, simulated card`, () => simulated(codec, seconds));

    let card: SoundCard;
    try {
      card = await startSoundCard(bench);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      for (const codec of CODECS) sheet.unavailable(`${codec}, ALSA`, error.message);
      return;
    }
    for (const codec of CODECS) {
      const peers = await several(() =>
        baresipVersion === undefined ? [] : onCard(codec, card, seconds, baresipPair),
      );
      const beside = peers.settled.length === 0 ? {} : { peer: { name: peerName, values: peers.settled } };
      for (const driver of ['alsa', 'packages'] as const) {
        const name = `${codec}, ALSA by ${driver === 'alsa' ? 'the driver alsa' : 'alsa-capture + speaker'}`;
        if (driver === 'packages' && !packagesAreBuilt()) {
          sheet.unavailable(name, 'alsa-capture and speaker are not built: run scripts/native');
          continue;
        }
        await measured(sheet, name, () => onCard(codec, card, seconds, porterPair(driver)), beside);
      }
    }
  },
};

/** Delays of one call, each with the time since the answer. Milliseconds. */
type Heard = { delayMs: number | undefined; afterMs: number }[];

async function several(once: () => Promise<Heard> | Heard) {
  const heard: Heard = [];
  for (let call = 0; call < CALLS; call++) heard.push(...(await once()));
  const known = heard.filter(({ delayMs }) => delayMs !== undefined);
  if (known.length < LEAST_HEARD * heard.length)
    throw new Error(`of ${heard.length} chirps only ${known.length} were heard`);
  const some = (when: (afterMs: number) => boolean) =>
    known.filter(({ afterMs }) => when(afterMs)).map(({ delayMs }) => delayMs!);
  return {
    settled: some(afterMs => afterMs >= LEARNING_MS),
    first: some(afterMs => afterMs < LEARNING_MS),
    missed: heard.length - known.length,
  };
}

async function measured(
  sheet: Sheet,
  name: string,
  once: () => Promise<Heard>,
  more: Parameters<Sheet['add']>[3] = {},
) {
  const { settled, first, missed } = await several(once);
  const note = missed > 0 ? { note: `${missed} of ${missed + settled.length + first.length} chirps not found` } : {};
  sheet.add(name, 'ms', settled, { ...more, ...note });
  sheet.add(`${name}, first ${LEARNING_MS / 1000} s`, 'ms', first);
}

// ---- on simulated cards -----------------------------------------------------------------------------------------

async function simulated(codec: Codec, seconds: number): Promise<Heard> {
  const bench = new Bench();
  try {
    const chirps = join(bench.folder, 'chirps.wav');
    writeWav(chirps, chirpRound());
    const files = { speaker: join(bench.folder, 'speaker.wav'), listener: join(bench.folder, 'listener.wav') };
    const listener = await startPorter(bench, {
      user: 'listener',
      codecs: [codec],
      audio: { playbackFile: files.listener },
    });
    const speaker = await startPorter(bench, {
      user: 'speaker',
      codecs: [codec],
      audio: { captureFile: chirps, playbackFile: files.speaker },
    });
    await listener.ready();
    await speaker.ready();
    const clocks = async () => ({
      speaker: await frameZeroMs(files.speaker),
      listener: await frameZeroMs(files.listener),
    });
    const before = await clocks();
    await speaker.do(`page ${listener.uri}`);
    await until('the listener answers', async () => (await listener.status()).call.state === 'talking');
    const answeredMs = performance.now();
    await passes(LEARNING_MS + seconds * 1000);
    const hungUpMs = performance.now();
    await speaker.do('hang up');
    const after = await clocks();
    for (const side of ['speaker', 'listener'] as const) {
      const offMs = after[side] - before[side];
      if (Math.abs(offMs) > CLOCK_AGREES_MS)
        throw new Error(
          `the clock of the ${side}'s card went wrong by ${offMs.toFixed(1)} ms: the machine is too busy`,
        );
    }
    // The microphone's file in a loop from the card's first frame on: nothing was written down, it is known.
    const round = chirpRound();
    const frames = Math.ceil((hungUpMs - before.speaker) / FRAME_MS);
    const microphone = new Int16Array(frames * (FRAME_BYTES / 2));
    for (let index = 0; index < microphone.length; index++) microphone[index] = round[index % round.length]!;
    const spoken = findChirps(microphone, before.speaker - FRAME_MS);
    const heard = findChirps(parseWav(readFileSync(files.listener), files.listener).samples, before.listener);
    return inCall(spoken, heard, answeredMs, hungUpMs);
  } finally {
    await bench.stop();
  }
}

type Found = ReturnType<typeof findChirps>;

/** Leaves out what was spoken so late that its end may not have been heard. */
function inCall(spoken: Found, heard: Found, answeredMs: number, hungUpMs: number): Heard {
  const within = spoken.filter(({ atMs }) => atMs > answeredMs + 500 && atMs < hungUpMs - 700);
  return delays(within, heard).map((delayMs, index) => ({ delayMs, afterMs: within[index]!.atMs - answeredMs }));
}

/**
 * When a simulated card's first frame was due: its file grows by one frame at every tick, and of many looks at it the
 * one right after a punctual tick tells most.
 */
async function frameZeroMs(file: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  const endMs = performance.now() + CLOCK_LOOK_MS;
  while (performance.now() < endMs) {
    const frames = (statSync(file).size - WAV_HEADER_BYTES) / FRAME_BYTES;
    least = Math.min(least, performance.now() - (frames - 1) * FRAME_MS);
    await new Promise(resolve => setImmediate(resolve));
  }
  return least;
}

// ---- on the virtual card ------------------------------------------------------------------------------------------

/** Puts two ends on the card and lets one call the other. Resolves when they talk. */
type Pair = (bench: Bench, codec: Codec, card: SoundCard) => Promise<void>;

async function onCard(codec: Codec, card: SoundCard, seconds: number, pair: Pair): Promise<Heard> {
  const bench = new Bench();
  try {
    await pair(bench, codec, card);
    const { spoken, heard } = await card.record(LEARNING_MS / 1000 + seconds);
    const made = findChirps(spoken);
    return inCall(made, findChirps(heard), 0, (spoken.length * 1000) / 16_000);
  } finally {
    await bench.stop();
  }
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
