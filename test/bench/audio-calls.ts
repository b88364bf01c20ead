/** What 1, 10 and 50 calls at once take of the processor, without a sound card, beside baresip. */
import { join } from 'node:path';
import { V8_FLAGS } from '../../scripts/v8-flags.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { HOST } from './porter.ts';
import { cpuUse, Measured } from './processes.ts';
import { median, rounded, type Sheet } from './sheet.ts';
import { longSpeech } from './speech.ts';
import { type Codec, type Talker, Talkers } from './talkers.ts';
import { within } from './within.ts';

const COUNTS = [1, 10, 50] as const;
/** Ours and the peer in turn, so that whatever disturbs the machine disturbs both. */
const ROUNDS = 3;
/** Of one round. */
const WINDOWS = 2;
const ATTEMPTS = 4;
/**
 * Of what runs fifty times a second a compiler makes the best only after minutes: a device that is on for days has that
 * behind it. Both have so many calls for so long before any is measured. Milliseconds.
 */
const WARM_CALLS = 20;
const WARM_MS = 120_000;
/** Buffers have settled by then. Milliseconds. */
const SETTLE_MS = 5_000;
const RTP_PORTS = 400;
/** Besides the windows of a round, until all have been answered and hung up. Seconds. */
const AROUND_S = 90;
/** Of the packets that a call should send: with less it is not the same work, and its figure says nothing. */
const LEAST_SENT = 0.95;
const PACKET_MS = 20;
const DESK = join(import.meta.dirname, 'answering-desk.ts');

export const audioCalls: Benchmark = {
  name: 'audio-calls',
  title: 'CPU for 1, 10 and 50 calls at once, without a sound card',
  how:
    `Time that the threads of /proc/PID/task have run, ${WINDOWS} windows in each of ${ROUNDS} rounds, ours and the peer in ` +
    `turn; 100 % is one core. Before that both have had ${WARM_CALLS} calls for ${WARM_MS / 1000} s, so that what runs fifty ` +
    'times a second is compiled. Every call speaks and hears speech in packets of 20 ms, and a row fails where one sends less than ' +
    `${100 * LEAST_SENT} % of them, or is over too early; the least share is told with each. Ours: user agent and ` +
    'media thread as the device has them, in a process of their own without the rest of the device, whose calls with sound ' +
    `are few by design; its microphone is a WAV for all calls, in periods of 20 ms as the peer reads its own. Peer: ${peerName}, a WAV for each call and no player. Opus at ` +
    '16 kHz, 24 kbit/s, complexity 5 and in-band FEC for both. The callers send packets that were encoded beforehand.',
  async run(sheet, bench, { seconds }) {
    const wav = longSpeech(bench, Math.max(WARM_MS / 1000, WINDOWS * seconds) + AROUND_S);
    for (const codec of ['PCMA', 'opus'] as const)
      await within(bench, inner => compare(sheet, inner, { codec, wav, seconds }));
  },
};

interface Comparison {
  codec: Codec;
  /** What is said. */
  wav: string;
  seconds: number;
}

/** All counts with the same two processes. */
async function compare(sheet: Sheet, bench: Bench, { codec, wav, seconds }: Comparison) {
  const ours = await startOurs(bench, codec, wav);
  const theirs = baresipVersion === undefined ? undefined : await startPeer(bench, codec, wav);
  sheet.tell(`${codec}, ${WARM_CALLS} calls first`);
  await within(bench, inner => {
    const warm = (callee: Callee) => up(inner, { codec, count: WARM_CALLS, callee, forMs: WARM_MS });
    return Promise.all([warm(ours), theirs && warm(theirs)]);
  });
  for (const count of COUNTS) {
    const title = `${count} ${count === 1 ? 'call' : 'calls'}, ${codec}`;
    sheet.tell(title);
    const measure = (callee: Callee) => within(bench, inner => calls(inner, { codec, count, seconds, callee }));
    const ofOurs: Measurement[] = [];
    const ofTheirs: Measurement[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        ofOurs.push(await measure(ours));
        if (theirs !== undefined) ofTheirs.push(await measure(theirs));
      }
    } catch (error) {
      // Whatever else goes wrong, an interruption among it, ends the others too.
      if (!(error instanceof TooEarly)) throw error;
      sheet.failed(title, error.message);
      continue;
    }
    const said = [`ours ${sent(ofOurs)}`, ...(theirs === undefined ? [] : [`${peerName} ${sent(ofTheirs)}`])];
    const note = `${byThread(ofOurs)}least share of packets that a call has sent: ${said.join(', ')}`;
    if (Math.min(...[...ofOurs, ...ofTheirs].map(({ share }) => share)) < LEAST_SENT) sheet.failed(title, note);
    else
      sheet.add(title, '% of a core', ofOurs.flatMap(percentOf), {
        peer: { name: peerName, values: ofTheirs.flatMap(percentOf) },
        note,
      });
  }
}

/** Calls were over before they had been measured. */
class TooEarly extends Error {}

interface Window {
  /** Of a core. */
  percent: number;
  /** The same of each thread by its name, where the kernel tells. */
  threads: Map<string, number>;
}

/** Of one round. */
interface Measurement {
  windows: readonly Window[];
  /** Of the packets that were due, those that the call with the fewest has sent. 1: all. */
  share: number;
}

const percentOf = ({ windows }: Measurement) => windows.map(({ percent }) => percent);
const sent = (rounds: readonly Measurement[]) =>
  `${(100 * Math.min(...rounds.map(({ share }) => share))).toFixed(1)} %`;

/** The busiest first; those that hardly run are left out. */
function byThread(rounds: readonly Measurement[]): string {
  const windows = rounds.flatMap(round => round.windows);
  const names = [...new Set(windows.flatMap(({ threads }) => [...threads.keys()]))];
  return names
    .map(name => ({ name, percent: rounded(median(windows.map(({ threads }) => threads.get(name) ?? 0))) }))
    .filter(({ percent }) => percent >= 0.01)
    .sort((one, other) => other.percent - one.percent)
    .map(({ name, percent }) => `${name} ${percent} %, `)
    .join('');
}

/** Who is called. */
interface Callee {
  process: Measured;
  uri: string;
}

async function startOurs(bench: Bench, codec: Codec, wav: string): Promise<Callee> {
  const port = await sipPort();
  const room = bench.room('answering');
  const order = JSON.stringify({ port, rtpPorts: await rtpRange(RTP_PORTS), microphone: wav, codecs: [codec] });
  const child = new Measured(process.execPath, [...V8_FLAGS, DESK, order], { log: join(room, 'log'), cwd: room });
  bench.onStop(() => child.stop());
  await until('it is ready', () => child.tail().includes('ready'), { detail: () => child.tail() });
  return { process: child, uri: `sip:porter@${HOST}:${port}` };
}

async function startPeer(bench: Bench, codec: Codec, wav: string): Promise<Callee> {
  const peer = await startBaresip(bench, { user: 'peer', codec, source: `aufile,${wav}`, rate: 16_000 });
  await until('baresip listens', () => /ready|Local/.test(peer.process.tail()), { detail: () => peer.process.tail() });
  return peer;
}

/** Somebody else on the machine may have taken a port: then the call ends at once, and is made again. */
async function answered(talkers: Talkers, { uri, process }: Callee) {
  for (let attempt = 1; ; attempt++) {
    const talker = await talkers.call(uri);
    const isDecided = () => talker.state !== 'calling';
    await until('a call is answered', isDecided, { detail: () => process.tail() });
    if (talker.state === 'talking') return talker;
    if (attempt === ATTEMPTS) throw new Error(`a call ended before it was answered, ${ATTEMPTS} times: ${talker.why}`);
  }
}

interface Calls {
  codec: Codec;
  count: number;
  callee: Callee;
}

/** So many calls that have been up for so long; hung up with the bench. */
async function up(bench: Bench, { codec, count, callee, forMs }: Calls & { forMs: number }): Promise<Talker[]> {
  const talkers = await Talkers.start(bench, codec);
  const all: Talker[] = [];
  for (let made = 0; made < count; made++) all.push(await answered(talkers, callee));
  await passes(forMs);
  return all;
}

/** One round. */
async function calls(bench: Bench, { seconds, ...order }: Calls & { seconds: number }): Promise<Measurement> {
  const talkers = await up(bench, { ...order, forMs: SETTLE_MS });
  const measured = order.callee.process;
  const windows: Window[] = [];
  const firstMs = performance.now();
  for (const talker of talkers) talker.received = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const used = cpuUse(measured.pid);
    const startedMs = performance.now();
    await passes(seconds * 1000);
    measured.assertRunning();
    const { seconds: cpu, threads } = used();
    const share = 1e5 / (performance.now() - startedMs);
    for (const [name, time] of threads) threads.set(name, time * share);
    windows.push({ percent: cpu * share, threads });
  }
  const due = (performance.now() - firstMs) / PACKET_MS;
  const gone = talkers.filter(({ state }) => state !== 'talking');
  if (gone.length > 0)
    throw new TooEarly(`${gone.length} of ${order.count} calls were over too early: ${gone[0]!.why}`);
  return { windows, share: Math.min(...talkers.map(({ received }) => received)) / due };
}
