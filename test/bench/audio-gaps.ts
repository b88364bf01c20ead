/** Holes that are heard in a call while the control thread of the device is not there. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readWav } from '../../hal/audio/wav.ts';
import { realDesk } from '../desk/real-desk.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';
import { longestGapMs, sine } from '../sim/tone.ts';
import type { Benchmark } from './benchmark.ts';
import { RATE, writeWav } from './chirps.ts';
import { keep } from './keep.ts';
import { HOST, startPorter } from './porter.ts';
import { within } from './within.ts';

const HZ = 1_000;
const LOUD = 8_000;
/** What stays under this is a hole. */
const HOLE_BELOW = 1_000;
const SETTLE_MS = 4_000;
const AFTER_MS = 1_000;
const CALLS = 3;
/** The most that a thousand collections may take on a slow machine. Milliseconds. */
const DISTURBED_WITHIN_MS = 120_000;
const HOOK = pathToFileURL(join(import.meta.dirname, 'disturbance.ts')).href;

const DISTURBANCES = [
  { name: 'nothing', signal: undefined, says: '' },
  { name: 'control thread stalled for 2 s', signal: 'SIGPWR', says: 'bench: stalled' },
  { name: '1000 garbage collections on it', signal: 'SIGUSR2', says: 'bench: collected' },
  { name: '1000 garbage collections on the media thread', signal: 'SIGIO', says: 'bench: media collected' },
] as const;

export const audioGaps: Benchmark = {
  name: 'audio-gaps',
  title: 'holes heard while the control thread is not there',
  how:
    `The real process in a call, its microphone hears a tone of ${HZ} Hz; a desk with a media thread of its own records what ` +
    `it hears. The longest time in which the tone is gone, from the first disturbance to ${AFTER_MS / 1000} s after it; ` +
    `${CALLS} calls each. Collections: one in ten of the whole heap; on the media thread, which has to go on, one each 10 ms. “nothing” is the same for 3 s undisturbed: what this machine alone does.`,
  async run(sheet, bench, { keep: folder }) {
    for (const disturbance of DISTURBANCES) {
      const gaps: number[] = [];
      for (let call = 0; call < CALLS; call++)
        gaps.push(await within(bench, inner => oneCall(inner, disturbance, folder)));
      sheet.add(disturbance.name, 'ms', gaps);
    }
  },
};

async function oneCall(
  bench: Bench,
  { name, signal, says }: (typeof DISTURBANCES)[number],
  folder: string | undefined,
): Promise<number> {
  const room = bench.room('gaps');
  const tone = join(room, 'tone.wav');
  writeWav(tone, sine(HZ, LOUD, RATE, 1));
  const desk = realDesk({
    ...{ host: HOST, port: await sipPort(), rtpPorts: await rtpRange(), user: 'desk', realm: 'bench' },
    ...{ callers: [], passwords: {}, codecs: ['PCMA'] },
    onCall: call => call.refuse(480),
    onEvent() {},
  });
  desk.start();
  bench.onStop(() => desk.stop());
  const env = { NODE_OPTIONS: `--import ${HOOK}` };
  const porter = await startPorter(bench, { user: 'porter', audio: { captureFile: tone }, env });
  await porter.ready();
  const call = desk.call(porter.uri, { page: true });
  await until('the device answers', () => call.state === 'talking', { detail: () => porter.process.tail() });
  await passes(SETTLE_MS);
  call.record(room, 'desk');
  await passes(AFTER_MS);
  if (signal === undefined) await passes(2_000);
  else {
    process.kill(porter.process.pid, signal);
    const done = () => porter.process.tail().includes(says);
    await until(`the device has been disturbed: ${name}`, done, { withinMs: DISTURBED_WITHIN_MS });
  }
  await passes(AFTER_MS);
  if (call.state !== 'talking') throw new Error('the call ended while it was measured');
  call.hangUp();
  await desk.stop();
  const { samples, rate } = readWav(join(room, 'desk-heard.wav'));
  keep(folder, `gaps ${name}`, rate, samples);
  // Without the ends, where the recording begins and the call stops.
  return longestGapMs(samples.subarray(rate / 4, samples.length - rate / 2), rate, HOLE_BELOW);
}
