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
import { Measured } from './processes.ts';
import { rounded } from './sheet.ts';
import { within } from './within.ts';

const HZ = 1_000;
const LOUD = 8_000;
/** What stays under this is a hole. */
const HOLE_BELOW = 1_000;
const SETTLE_MS = 4_000;
const AFTER_MS = 1_000;
/** What the device says then: how late its media thread was, and how long a collection took there. */
const DONE = /^bench: done, (\S+) ms late, collected for (\S+) ms$/m;
const CALLS = 3;
/** The most that a thousand collections may take on a slow machine. Milliseconds. */
const DISTURBED_WITHIN_MS = 120_000;
const HOOK = pathToFileURL(join(import.meta.dirname, 'disturbance.ts')).href;

const SLEEPER = join(import.meta.dirname, 'sleeper.ts');

const DISTURBANCES = [
  { name: 'nothing', signal: 'SIGWINCH' },
  { name: 'control thread stalled for 2 s', signal: 'SIGPWR' },
  { name: '1000 garbage collections on it', signal: 'SIGUSR2' },
  { name: '1000 garbage collections on the media thread', signal: 'SIGIO' },
] as const;

/** Of one call. Milliseconds. */
interface Fate {
  gap: number;
  /** The media thread of the device; and a program that only sleeps, in the same time. */
  late: number;
  sleeperLate: number;
  /** The longest collection on the media thread. */
  collected: number;
}

export const audioGaps: Benchmark = {
  name: 'audio-gaps',
  title: 'holes heard while the control thread is not there',
  how:
    `The real process in a call, its microphone hears a tone of ${HZ} Hz; a desk with a media thread of its own records what ` +
    `it hears. The longest time in which the tone is gone, from the first disturbance to ${AFTER_MS / 1000} s after it; ` +
    `${CALLS} calls each. Collections: one in ten of the whole heap; on the media thread, which has to go on, one each 10 ms. “nothing” is 2 s undisturbed. How late the media thread was woken stands beside a program that only sleeps for 10 ms, as nice as this user may be: what this machine does to anybody.`,
  async run(sheet, bench, { keep: folder }) {
    for (const disturbance of DISTURBANCES) {
      const fates: Fate[] = [];
      for (let call = 0; call < CALLS; call++)
        fates.push(await within(bench, inner => oneCall(inner, disturbance, folder)));
      const all = (what: keyof Fate) => fates.map(fate => fate[what]);
      sheet.add(disturbance.name, 'ms', all('gap'));
      const peer = { name: 'a program that only sleeps', values: all('sleeperLate') };
      const collected = Math.max(...all('collected'));
      const note = collected > 0 ? { note: `longest collection there ${rounded(collected)} ms` } : {};
      sheet.add(`… its media thread woken late by at most`, 'ms', all('late'), { peer, ...note });
    }
  },
};

async function oneCall(
  bench: Bench,
  { name, signal }: (typeof DISTURBANCES)[number],
  folder: string | undefined,
): Promise<Fate> {
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
  const sleeper = new Measured(process.execPath, [SLEEPER], { log: join(room, 'sleeper'), cwd: room });
  bench.onStop(() => sleeper.stop());
  await passes(AFTER_MS);
  const beganMs = Date.now();
  process.kill(porter.process.pid, signal);
  const done = () => DONE.exec(porter.process.tail());
  await until(`the device has been disturbed: ${name}`, () => done() !== null, { withinMs: DISTURBED_WITHIN_MS });
  const endedMs = Date.now();
  await passes(AFTER_MS);
  if (call.state !== 'talking') throw new Error('the call ended while it was measured');
  call.hangUp();
  await desk.stop();
  const { samples, rate } = readWav(join(room, 'desk-heard.wav'));
  keep(folder, `gaps ${name}`, rate, samples);
  // Without the ends, where the recording begins and the call stops.
  const gap = longestGapMs(samples.subarray(rate / 4, samples.length - rate / 2), rate, HOLE_BELOW);
  const [, late, collected] = done()!.map(Number);
  const lates = [...sleeper.all().matchAll(/^late (\d+) (\S+)$/gm)]
    .filter(([, at]) => Number(at) >= beganMs && Number(at) <= endedMs)
    .map(([, , ms]) => Number(ms));
  return { gap, late: late!, collected: collected!, sleeperLate: Math.max(0, ...lates) };
}
