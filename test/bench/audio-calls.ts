/** What 1, 10 and 50 calls at once take of the processor, without a sound card, beside baresip. */
import { join } from 'node:path';
import type { Desk, DeskCall } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { HOST } from './porter.ts';
import { cpuSeconds, Measured } from './processes.ts';
import { longSpeech } from './speech.ts';
import { within } from './within.ts';

const COUNTS = [1, 10, 50] as const;
/** Of one calling desk: its media thread has room for no more than a device's. */
const CALLS_OF_A_DESK = 25;
const WINDOWS = 5;
const ATTEMPTS = 4;
const SETTLE_MS = 5_000;
const RTP_PORTS = 400;
/** Until all have been answered and hung up. Seconds. */
const AROUND_S = 120;
const DESK = join(import.meta.dirname, 'answering-desk.ts');

export const audioCalls: Benchmark = {
  name: 'audio-calls',
  title: 'CPU for 1, 10 and 50 calls at once, without a sound card',
  how:
    `utime + stime of /proc/PID/stat over ${WINDOWS} windows, one after the other, 100 % is one core. Every call speaks and ` +
    'hears speech in packets of 20 ms. Ours: user agent and media thread as the device has them, in a process of their own ' +
    'without the rest of the device, whose calls with sound are few by design; its microphone is a WAV for all calls. ' +
    `Peer: ${peerName}, a WAV for each call and no player. The callers are desks in the bench. First ours, then the peer.`,
  async run(sheet, bench, { seconds }) {
    const wav = longSpeech(bench, WINDOWS * seconds + AROUND_S);
    const failed: string[] = [];
    for (const codec of ['PCMA', 'opus'] as const) {
      for (const count of COUNTS) {
        const title = `${count} ${count === 1 ? 'call' : 'calls'}, ${codec}`;
        sheet.tell(title);
        const measure = (start: Start) => within(bench, inner => calls(inner, { codec, count, wav, seconds, start }));
        try {
          const ours = await measure(startOurs);
          const values = baresipVersion === undefined ? [] : await measure(startPeer);
          sheet.add(title, '% of a core', ours, { peer: { name: peerName, values } });
        } catch (error) {
          failed.push(`${title}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
        }
      }
    }
    // What can be measured is; the rest is told at the end.
    if (failed.length > 0) throw new Error(failed.join('; '));
  },
};

type Codec = 'PCMA' | 'opus';
type Start = (bench: Bench, codec: Codec, wav: string) => Promise<{ process: Measured; uri: string }>;

const startOurs: Start = async (bench, codec, wav) => {
  const port = await sipPort();
  const room = bench.room('answering');
  const order = JSON.stringify({ port, rtpPorts: await rtpRange(RTP_PORTS), microphone: wav, codecs: [codec] });
  const child = new Measured(process.execPath, [DESK, order], { log: join(room, 'log'), cwd: room });
  bench.onStop(() => child.stop());
  await until('it is ready', () => child.tail().includes('ready'), { detail: () => child.tail() });
  return { process: child, uri: `sip:porter@${HOST}:${port}` };
};

const startPeer: Start = async (bench, codec, wav) => {
  const peer = await startBaresip(bench, { user: 'peer', codec, source: `aufile,${wav}`, rate: 16_000 });
  await until('baresip listens', () => /ready|Local/.test(peer.process.tail()), { detail: () => peer.process.tail() });
  return peer;
};

interface Calls {
  codec: Codec;
  count: number;
  wav: string;
  seconds: number;
  start: Start;
}

/** Somebody else on the machine may have taken a port: then the call ends at once, and is made again. */
async function answered(desk: Desk, uri: string, measured: Measured): Promise<DeskCall> {
  for (let attempt = 1; ; attempt++) {
    const call = desk.call(uri);
    const isDecided = () => call.state === 'talking' || call.state === 'ended';
    await until('a call is answered', isDecided, { detail: () => `${call.state}\n${measured.tail()}` });
    if (call.state === 'talking') return call;
    if (attempt === ATTEMPTS) throw new Error(`a call ended before it was answered, ${ATTEMPTS} times`);
  }
}

async function calls(bench: Bench, { codec, count, wav, seconds, start }: Calls): Promise<number[]> {
  const { process: measured, uri } = await start(bench, codec, wav);
  const up: DeskCall[] = [];
  for (let made = 0; made < count; made += CALLS_OF_A_DESK) {
    const desk = realDesk({
      ...{ host: HOST, port: await sipPort(), rtpPorts: await rtpRange(RTP_PORTS), microphone: wav },
      ...{ user: 'desk', realm: 'bench', callers: [], passwords: {}, codecs: [codec] },
      onCall: call => call.refuse(480),
      onEvent() {},
    });
    desk.start();
    bench.onStop(() => desk.stop());
    for (let each = made; each < Math.min(count, made + CALLS_OF_A_DESK); each++) {
      const call = await answered(desk, uri, measured);
      up.push(call);
    }
  }
  await passes(SETTLE_MS);
  const percent: number[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    const before = cpuSeconds(measured.pid);
    const startedMs = performance.now();
    await passes(seconds * 1000);
    measured.assertRunning();
    percent.push((100 * (cpuSeconds(measured.pid) - before)) / ((performance.now() - startedMs) / 1000));
  }
  const lost = up.filter(call => call.state !== 'talking').length;
  if (lost > 0) throw new Error(`${lost} of ${count} calls ended while they were measured`);
  for (const call of up) call.hangUp();
  return percent;
}
