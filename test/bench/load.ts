/** What the device takes of the machine, idle and in a call: processor and memory. */
import type { Desk, DeskCall } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { HOST, startPorter } from './porter.ts';
import { cpuSeconds, type Measured, memoryMb } from './processes.ts';
import type { Sheet } from './sheet.ts';
import { longSpeech } from './speech.ts';
import { startStation } from './station.ts';
import { within } from './within.ts';

const WINDOWS = 5;
/** Besides the windows, until everybody has hung up. Seconds. */
const AROUND_S = 60;
/** Compilers and buffers have settled by then. Milliseconds. */
const SETTLE_MS = 5_000;

export const load: Benchmark = {
  name: 'load',
  title: 'CPU and memory, idle and in a call',
  how:
    `utime + stime of /proc/PID/stat over ${WINDOWS} windows, 100 % is one core; Rss and Pss of /proc/PID/smaps_rollup ` +
    'after them. The real process, registered, simulated sound card at 16 kHz that hears speech from a WAV, played sound thrown away; ' +
    'the other end is a desk in the bench that speaks too. Packets of 20 ms. The peer in the same role: a WAV of the same ' +
    'rate as source, no player. Both are measured in the same windows.',
  async run(sheet, bench, { seconds }) {
    const wav = longSpeech(bench, WINDOWS * seconds + AROUND_S);
    const desk = await startDesk(bench, wav);
    for (const codec of [undefined, 'PCMA', 'opus'] as const) {
      const title = codec === undefined ? 'idle, registered' : `one call, ${codec}`;
      sheet.tell(title);
      await within(bench, inner => inState({ sheet, bench: inner, desk, wav, codec, title, windowS: seconds }));
    }
  },
};

interface State {
  sheet: Sheet;
  bench: Bench;
  desk: Desk;
  wav: string;
  codec: 'PCMA' | 'opus' | undefined;
  title: string;
  windowS: number;
}

async function inState({ sheet, bench, desk, wav, codec: called, title, windowS }: State) {
  const codec = called ?? 'PCMA';
  const users = ['porter', 'peer'];
  const station = await startStation(bench, users);
  const common = { registrarPort: station.port };
  const porter = await startPorter(bench, {
    ...common,
    user: 'porter',
    codecs: [codec],
    audio: { captureFile: wav },
  });
  const peer =
    baresipVersion === undefined
      ? undefined
      : await startBaresip(bench, { ...common, user: 'peer', codec, source: `aufile,${wav}`, rate: 16_000 });
  await porter.ready();
  const present = [porter, ...(peer === undefined ? [] : [peer])];
  for (const [index, { process }] of present.entries()) {
    const registered = () => station.registeredMs.has(users[index]!);
    await until(`${users[index]} is registered`, registered, { detail: () => process.tail() });
  }
  const calls: DeskCall[] = [];
  if (called !== undefined) {
    for (const { uri } of present) calls.push(desk.call(uri, { page: true }));
    for (const call of calls) await until(`${call.remote} answers`, () => call.state === 'talking');
  }
  await passes(SETTLE_MS);
  const processes = present.map(({ process }) => process);
  const percent = await percentOfCore(processes, windowS);
  if (calls.some(call => call.state !== 'talking')) throw new Error('a call ended while it was measured');
  const memory = processes.map(({ pid }) => memoryMb(pid));
  const beside = (values: readonly number[] | undefined) =>
    values === undefined ? {} : { peer: { name: peerName, values } };
  sheet.add(`CPU, ${title}`, '% of a core', percent[0]!, beside(percent[1]));
  for (const [name, key] of [
    ['RSS', 'rss'],
    ['PSS', 'pss'],
  ] as const) {
    const other = memory[1];
    sheet.add(`${name}, ${title}`, 'MB', [memory[0]![key]], beside(other && [other[key]]));
  }
  for (const call of calls) call.hangUp();
}

/** One list of percentages for each process, all of the same windows. */
async function percentOfCore(processes: readonly Measured[], windowS: number): Promise<number[][]> {
  const values = processes.map((): number[] => []);
  for (let window = 0; window < WINDOWS; window++) {
    const before = processes.map(({ pid }) => cpuSeconds(pid));
    const startedMs = performance.now();
    await passes(windowS * 1000);
    const seconds = (performance.now() - startedMs) / 1000;
    processes.forEach((process, index) => {
      process.assertRunning();
      values[index]!.push((100 * (cpuSeconds(process.pid) - before[index]!)) / seconds);
    });
  }
  return values;
}

async function startDesk(bench: Bench, wav: string): Promise<Desk> {
  const desk = realDesk({
    host: HOST,
    port: await sipPort(),
    rtpPorts: await rtpRange(),
    user: 'desk',
    callers: [],
    realm: 'bench',
    passwords: {},
    codecs: ['opus', 'PCMA'],
    microphone: wav,
    onCall: call => call.refuse(480),
    onEvent() {},
  });
  desk.start();
  bench.onStop(() => desk.stop());
  return desk;
}
