/**
 * Measures in real time what the other rig programs must not: how long until the device is registered, from a press to the
 * INVITE, and what a call through the sound card costs beside baresip's. Writes `measured.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { systemRandom } from '../../../firmware/lib/random.ts';
import { systemResolve } from '../../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../../firmware/sip/transport/udp.ts';
import { loadKoffi } from '../../../hal/native.ts';
import { startBaresip } from '../../bench/baresip.ts';
import { Desk, type DeskEvent } from '../../desk/desk.ts';
import { Bench } from '../../peers/support/bench.ts';
import { HOST, startDevice } from '../../peers/support/device.ts';
import { passes, until } from '../../peers/support/until.ts';
import { deskSound } from './desk-sound.ts';
import { LINE, PiHeader } from './pi-header.ts';
import { sleepingSound } from './sleeping-sound.ts';

export interface Measurement {
  /** From the kernel's start to the first command. */
  kernelUpS: number;
  /** From `porter run` to the registrar's 200. */
  registeredS: number;
  /** From the level on the pin to the INVITE on the wire, the button's debounce of 30 ms included; sorted. */
  pressMs: number[];
  /** Of one processor, while a call is up. Percent. */
  porterCpu: number;
  baresipCpu: number;
  rssMb: number;
}

const SIP_PORT = 5_070;
const PRESSES = 9;
/** The first seconds of a call are its adaptive parts' learning. Seconds. */
const SETTLE_S = 3;
const CALL_S = 10;
/** Its sound does not always come up on this card, and then it has nothing to do. */
const BARESIP_TRIES = 6;
/** Less than any sound takes: 0.4 to 0.5 was seen without, 1.5 to 8 with it. Percent. */
const SILENT = 1;
const CARD = 'hw:Loopback,0,0';
/** Kernel time of one tick, which `/proc/<pid>/stat` counts, is too coarse for what wakes with the tick. */
const PROCESS_CLOCK = 2;

const clockGettime = loadKoffi().load(null).func('int clock_gettime(int clock, void *time)');

/** What the process has used of the processor. Seconds. */
function cpuS(pid: number): number {
  const time = Buffer.alloc(16);
  // Linux: the clock of a process is ~pid above three bits that say which (posix-timers.h, MAKE_PROCESS_CPUCLOCK).
  if (clockGettime((~pid << 3) | PROCESS_CLOCK, time) !== 0) throw new Error(`no clock of process ${pid}`);
  return Number(time.readBigInt64LE(0)) + Number(time.readBigInt64LE(8)) / 1e9;
}

async function cpuPercent(pid: number): Promise<number> {
  await passes(SETTLE_S * 1_000);
  const [beganS, beganMs] = [cpuS(pid), performance.now()];
  await passes(CALL_S * 1_000);
  return (100_000 * (cpuS(pid) - beganS)) / (performance.now() - beganMs);
}

const kernelUpS = Number(process.env.rig_up);
const bench = new Bench();
const header = new PiHeader();
const socket = new UdpSocket({ host: HOST, port: SIP_PORT });
let invitedMs: number | undefined;
let registeredMs: number | undefined;
const start = socket.start.bind(socket);
socket.start = (receive, ...others) =>
  start(
    (bytes, from) => {
      if (Buffer.from(bytes.subarray(0, 7)).toString('latin1') === 'INVITE ') invitedMs ??= performance.now();
      receive(bytes, from);
    },
    ...others,
  );
const desk = new Desk(
  {
    clock: systemClock,
    wallClock,
    random: systemRandom,
    log: silentLog,
    resolve: systemResolve,
    media: sleepingSound(deskSound, systemRandom),
    socket,
  },
  {
    host: HOST,
    port: SIP_PORT,
    user: 'desk',
    realm: 'rig',
    passwords: { front: 'secret' },
    callers: [],
    codecs: ['PCMA'],
    onCall: call => call.answer(),
    onEvent: (event: DeskEvent) => {
      if (event.is === 'registered') registeredMs ??= performance.now();
    },
  },
);
desk.start();

const beganMs = performance.now();
const device = await startDevice(bench, {
  config: {
    board: { name: 'raspberry-pi-4' },
    audio: { driver: 'alsa', capture: CARD, playback: CARD, echo: 'off', noiseSuppression: false },
    sip: { accounts: { pbx: { uri: `sip:front@${HOST}:${SIP_PORT}`, password: 'secret', transport: 'udp' } } },
    contacts: { desk: { uri: `sip:desk@${HOST}:${SIP_PORT}` } },
    buttons: { front: { input: 'button-1', press: 'call desk' } },
    media: { codecs: ['PCMA'] },
    log: { level: 'warn' },
  },
});
await until('it is registered', () => registeredMs !== undefined);

const pressMs: number[] = [];
for (let times = 0; times < PRESSES; times++) {
  invitedMs = undefined;
  const pressedMs = performance.now();
  header.hold(LINE.button1);
  await until('the INVITE', () => invitedMs !== undefined);
  pressMs.push(invitedMs! - pressedMs);
  header.letGo(LINE.button1);
  await device.event('call', 'answered');
  if (times < PRESSES - 1) await device.do('hang up');
  else break;
  await device.event('call', 'ended');
  await passes(300);
}
const porterCpu = await cpuPercent(device.pid!);
const rssMb = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${device.pid}/status`, 'utf8'))![1]) / 1_024;
await device.do('hang up');
await device.event('call', 'ended');
await device.stop();

/** What a call of baresip's costs, or less than SILENT where its sound did not come up. Percent. */
async function baresipOnce(): Promise<number> {
  const baresip = await startBaresip(bench, {
    user: 'other',
    source: `alsa,${CARD}`,
    player: `alsa,${CARD}`,
    rate: 16_000,
    calls: `sip:desk@${HOST}:${SIP_PORT}`,
  });
  await until('baresip is in a call', () => desk.calls[0]?.state === 'talking', {
    detail: () => baresip.process.tail(),
  });
  const percent = await cpuPercent(baresip.process.pid);
  desk.calls[0]?.hangUp();
  await baresip.process.stop();
  await passes(500);
  return percent;
}

let baresipCpu = 0;
for (let times = 0; times < BARESIP_TRIES && baresipCpu < SILENT; times++) baresipCpu = await baresipOnce();

const measured: Measurement = {
  kernelUpS,
  registeredS: (registeredMs! - beganMs) / 1_000,
  pressMs: pressMs.toSorted((a, b) => a - b),
  porterCpu,
  baresipCpu,
  rssMb,
};
writeFileSync(join(process.env.rig_share!, 'measured.json'), JSON.stringify(measured));
await bench.stop();
process.exit();
