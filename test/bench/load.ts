/** What the device takes of the machine, idle and in a call: processor and memory. */
import type { Desk, DeskCall } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { HOST, startPorter } from './porter.ts';
import { cpuUse, type Measured, memoryMb } from './processes.ts';
import { type Sheet, Unavailable } from './sheet.ts';
import { PCM, type SoundCard, startSoundCard } from './sound-card.ts';
import { longSpeech } from './speech.ts';
import { startStation } from './station.ts';
import { within } from './within.ts';

const WINDOWS = 5;
/** Besides the windows, until everybody has hung up. Seconds. */
const AROUND_S = 60;
/** Compilers and buffers have settled by then. Milliseconds. */
const SETTLE_MS = 5_000;

interface State {
  title: string;
  /** Absent: no call. */
  codec?: 'PCMA' | 'opus';
  alsa?: true;
}

const STATES: readonly State[] = [
  { title: 'idle' },
  { title: 'one call, PCMA', codec: 'PCMA' },
  { title: 'one call, opus', codec: 'opus' },
  { title: 'idle, ALSA', alsa: true },
  { title: 'one call, PCMA, ALSA', codec: 'PCMA', alsa: true },
];

export const load: Benchmark = {
  name: 'load',
  title: 'CPU and memory, idle and in a call',
  how:
    `Time that the threads of /proc/PID/task have run in ${WINDOWS} windows, 100 % is one core; Rss and Pss of /proc/PID/smaps_rollup ` +
    'after them. The real process, registered; its sound card at 16 kHz is simulated and hears speech from a WAV, or is ' +
    'a virtual one behind ALSA. The other end is a desk in the bench that speaks too; packets of 20 ms. Peer in the same ' +
    'role: the same WAV as source and no player, or the same ALSA card. Both are measured in the same windows. The device ' +
    'keeps its card open for tones and pages while it is idle; the peer opens its only in a call.',
  async run(sheet, bench, { seconds }) {
    const wav = longSpeech(bench, WINDOWS * seconds + AROUND_S);
    const desk = await startDesk(bench, wav);
    for (const state of STATES) {
      sheet.tell(state.title);
      try {
        await within(bench, inner => inState(inner, { sheet, desk, wav, state, windowS: seconds }));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        sheet.unavailable(state.title, error.message);
      }
    }
  },
};

interface Parts {
  sheet: Sheet;
  desk: Desk;
  wav: string;
  state: State;
  windowS: number;
}

async function inState(bench: Bench, { sheet, desk, wav, state, windowS }: Parts) {
  const { title, codec = 'PCMA' } = state;
  const station = await startStation(bench, ['porter', 'peer']);
  const card = state.alsa && (await startSoundCard(bench));
  const { audio, ...sound } = soundOf(wav, card);
  const common = { registrarPort: station.port, ...(card && { env: card.env }) };
  const porter = await startPorter(bench, { ...common, user: 'porter', codecs: [codec], audio });
  const present: { process: Measured; uri: string }[] = [porter];
  if (baresipVersion !== undefined)
    present.push(await startBaresip(bench, { ...common, user: 'peer', codec, ...sound }));
  await porter.ready();
  const processes = present.map(({ process }) => process);
  const registered = () => station.registeredMs.size === present.length;
  await until('everybody is registered', registered, { detail: () => processes.map(one => one.tail()).join('\n') });
  const calls: DeskCall[] = [];
  if (state.codec !== undefined) {
    for (const { uri } of present) calls.push(desk.call(uri, { page: true }));
    for (const call of calls) await until(`${call.remote} answers`, () => call.state === 'talking');
  }
  await passes(SETTLE_MS);
  const percent = await percentOfCore(processes, windowS);
  if (calls.some(call => call.state !== 'talking')) throw new Error('a call ended while it was measured');
  const memory = processes.map(({ pid }) => memoryMb(pid));
  const beside = (values: readonly number[] | undefined) => (values ? { peer: { name: peerName, values } } : {});
  sheet.add(`CPU, ${title}`, '% of a core', percent[0]!, beside(percent[1]));
  sheet.add(`RSS, ${title}`, 'MB', [memory[0]!.rss], beside(memory[1] && [memory[1].rss]));
  sheet.add(`PSS, ${title}`, 'MB', [memory[0]!.pss], beside(memory[1] && [memory[1].pss]));
  for (const call of calls) call.hangUp();
}

/** The same sound for both, each in its own words. */
const soundOf = (wav: string, card: SoundCard | undefined) =>
  card === undefined
    ? { audio: { captureFile: wav }, source: `aufile,${wav}`, rate: 16_000 }
    : {
        audio: { driver: 'alsa', capture: PCM.mic, playback: PCM.ear },
        source: `alsa,${PCM.mic}`,
        player: `alsa,${PCM.ear}`,
        rate: 16_000,
      };

/** One list of percentages for each process, all of the same windows. */
async function percentOfCore(processes: readonly Measured[], windowS: number): Promise<number[][]> {
  const values = processes.map((): number[] => []);
  for (let window = 0; window < WINDOWS; window++) {
    const used = processes.map(({ pid }) => cpuUse(pid));
    const startedMs = performance.now();
    await passes(windowS * 1000);
    const seconds = (performance.now() - startedMs) / 1000;
    processes.forEach((process, index) => {
      process.assertRunning();
      values[index]!.push((100 * used[index]!().seconds) / seconds);
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
