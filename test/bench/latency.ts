/** Mouth to ear without a sound server between: simulated cards, so that only the firmware and the network take time. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseWav } from '../../hal/audio/wav.ts';
import type { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import type { Benchmark } from './benchmark.ts';
import { chirpRound, findChirps, RATE, writeWav } from './chirps.ts';
import { CALLS, type Heard, inCall, LEARNING_MS, measured } from './heard.ts';
import { keep } from './keep.ts';
import { startPorter } from './porter.ts';
import { within } from './within.ts';

const FRAME_MS = 10;
const FRAME_BYTES = 320;
const WAV_HEADER_BYTES = 44;
/** The two looks at a simulated card's clock, before and after the call, must agree. Milliseconds. */
const CLOCK_AGREES_MS = 4;
const CLOCK_LOOK_MS = 700;

export const latency: Benchmark = {
  name: 'latency',
  title: 'mouth to ear, on simulated sound cards',
  how:
    `Two devices, each its own process, one pages the other over loopback, 20 ms packets, ${CALLS} calls; chirps of 80 ms ` +
    'are spoken at one and found by cross-correlation in what the card of the other was given. Both cards’ clocks are ' +
    'read off the growth of their files (±1 ms); a frame counts as spoken 10 ms before the card hands it over. ' +
    `From ${LEARNING_MS / 1000} s after the answer on; earlier chirps are a figure of their own.`,
  async run(sheet, bench, { seconds, keep: folder }) {
    for (const codec of ['PCMA', 'opus'])
      await measured(sheet, codec, () => within(bench, inner => oneCall(inner, { codec, seconds, folder })));
  },
};

interface OneCall {
  codec: string;
  seconds: number;
  folder: string | undefined;
}

async function oneCall(bench: Bench, { codec, seconds, folder }: OneCall): Promise<Heard> {
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
      throw new Error(`the clock of the ${side}'s card went wrong by ${offMs.toFixed(1)} ms: the machine is too busy`);
  }
  // The microphone's file in a loop from the card's first frame on: nothing was written down, it is known.
  const round = chirpRound();
  const frames = Math.ceil((hungUpMs - before.speaker) / FRAME_MS);
  const microphone = new Int16Array(frames * (FRAME_BYTES / 2));
  for (let index = 0; index < microphone.length; index++) microphone[index] = round[index % round.length]!;
  const spoken = findChirps(microphone, before.speaker - FRAME_MS);
  const played = parseWav(readFileSync(files.listener), files.listener).samples;
  // Of several calls the last is kept.
  keep(folder, `latency ${codec} simulated cards`, RATE, played);
  const heard = findChirps(played, before.listener);
  return inCall(spoken, heard, answeredMs, hungUpMs);
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
