/** The whole device on arm64: Debian's kernel, the bundle that a board gets, lines and sound cards of the kernel. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeBundle } from '../../scripts/pack/bundle.ts';
import { CHIP, HOST_SEEN_FROM_GUEST, Machine } from '../../scripts/rigs/arm64/machine.ts';
import { arm64System, imageOf } from '../../scripts/rigs/arm64/system.ts';
import type { Desk, DeskCall, DeskEvent } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import { Bench } from '../peers/support/bench.ts';
import { hearsIn, writeTone } from '../peers/support/hearing.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';

const BUTTON = 0;
const RELAY = 5;
const LED = 6;
const PASSWORD = 'at the gate';
const MOUTH_HZ = 750;
const DESK_HZ = 1_100;
const RATE = 16_000;
const USB_RATE = 48_000;
/** The lines are those of snd-aloop's first device; what is played into 0,n is heard from 1,n. */
const LOOPBACK = { capture: 'hw:Loopback,1,1', playback: 'hw:Loopback,0,0' };
const USB = { capture: 'hw:Loopback,1,1', playback: 'plughw:CARD=Audio' };
/** Sound that is heard whole, how long the call may take to get there, and how often that is looked at. */
const HEARD_S = 2;
const HEARD_WITHIN_MS = 60_000;
const LOOK_MS = 500;
/** A processor that is played by another one is slow in everything that it does for the first time. */
const START_MS = 150_000;
const ANSWER_MS = 60_000;
/** Processor time is counted for so long, once what is new has been compiled. */
const SETTLED_MS = 5_000;
const COUNTED_MS = 8_000;

const bench = new Bench();
const say = (line: string) => process.stderr.write(`arm64: ${line}\n`);
const told: (DeskEvent & { atMs: number })[] = [];
const moves: { line: number; level: boolean; atMs: number }[] = [];
let machine: Machine;
let desk: Desk;
let call: DeskCall | undefined;
let porterCpu: number;

beforeAll(async () => {
  const system = await arm64System(say);
  const bundle = bench.room('bundle');
  await makeBundle({ arch: 'arm64', folder: bundle });
  const image = join(bench.folder, 'bundle.img');
  imageOf(bundle, image, 64);

  const port = await sipPort();
  const voice = join(bench.folder, 'desk.wav');
  writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: RATE, seconds: 1 });
  desk = realDesk({
    host: HOST_SEEN_FROM_GUEST,
    bind: '127.0.0.1',
    port,
    rtpPorts: await rtpRange(),
    user: 'desk',
    callers: [],
    realm: 'desk',
    passwords: { front: PASSWORD },
    codecs: ['PCMA'],
    microphone: voice,
    onCall(incoming) {
      call = incoming;
      incoming.answer();
    },
    onEvent: event => told.push({ ...event, atMs: performance.now() }),
  });
  desk.start();
  bench.onStop(() => desk.stop());

  machine = new Machine(system, {
    folder: bench.room('machine'),
    bundle: image,
    modules: ['snd_aloop', 'snd_usb_audio', 'xhci_pci', 'i6300esb'],
    start: START,
  });
  bench.onStop(() => machine.stop());
  const at = (name: string) => join(machine.share, name);
  writeFileSync(at('porter'), PORTER);
  writeFileSync(at('loopback.json'), configuration(port, LOOPBACK));
  writeFileSync(at('usb.json'), configuration(port, USB));
  writeTone(at('mouth.wav'), { hz: MOUTH_HZ, levelDb: -12, rate: RATE, seconds: 300 });
  mkdirSync(at('baresip'));
  for (const [name, content] of Object.entries(baresip)) writeFileSync(join(at('baresip'), name), content);
  await machine.open();
  machine.onRelay = (line, level) => moves.push({ line, level, atMs: performance.now() });
});
afterAll(() => bench.stop());

/** `porter NAME`: runs the device with this configuration. */
const PORTER = `cp /share/$1.json /tmp/porter.json
/opt/porter/bin/porter run --config /tmp/porter.json --state /tmp/state >>/share/porter.log 2>&1 &
echo $! >/run/porter.pid
`;
const START = 'sh /share/porter loopback; cp /share/mouth.wav /tmp\n';

const configuration = (port: number, card: typeof USB) =>
  JSON.stringify({
    device: { id: 'arm64', name: 'Front gate' },
    board: {
      name: 'generic',
      watchdog: true,
      inputs: { 'button-1': { chip: CHIP, line: BUTTON } },
      outputs: { 'relay-1': { chip: CHIP, line: RELAY }, 'led-1': { chip: CHIP, line: LED } },
    },
    // A board that another processor plays is late now and then.
    audio: { ...card, rate: RATE, period: '20 ms', buffer: '200 ms', echo: 'off', noiseSuppression: false },
    media: { codecs: ['PCMA'] },
    sip: { accounts: { pbx: { uri: `sip:front@${HOST_SEEN_FROM_GUEST}:${port}`, password: PASSWORD } } },
    contacts: { desk: { uri: `sip:desk@${HOST_SEEN_FROM_GUEST}:${port}` } },
    buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
    doors: { main: { relay: 'relay-1', openFor: '1 s', codes: ['55'] } },
    log: { level: 'debug' },
  });

/** The same work: the same sound card at the same rate, the same codec. */
const baresip = {
  config: `audio_source alsa,${LOOPBACK.capture}
audio_player alsa,${LOOPBACK.playback}
audio_alert alsa,null
ausrc_srate ${RATE}
auplay_srate ${RATE}
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module alsa.so
module g711.so
module_app account.so
module_app menu.so
module_tmp uuid.so
`,
  accounts: '<sip:bare@10.0.2.15;transport=udp>;regint=0;audio_codecs=PCMA/8000/1\n',
  contacts: '',
};

test('it starts and registers', async () => {
  const registered = await event('registered', 0, START_MS);
  say(`power to registered ${seconds(registered.atMs - machine.switchedOnMs)}`);
  await machine.up();
});

test('a press on a line of the kernel is a call that is heard at both ends; the code moves the relay', async () => {
  await speakAndListen();
  const pressedAtMs = performance.now();
  const pressedMs = await press();
  say(`press to INVITE, the first since the start: ${Math.round(pressedMs)} ms`);
  call!.record(bench.folder, 'call');
  await moved(LED, true, pressedAtMs);
  await heardIn(deskEar('call'), ear);
  const keyedMs = performance.now();
  call!.sendKeys('55#');
  await moved(RELAY, true, keyedMs);
  await moved(RELAY, false, keyedMs);
  await hangUp();

  say(`press to INVITE, the second: ${Math.round(await press())} ms`);
  porterCpu = await cpuOf('porter');
  say(`processor time of a call: ${percent(porterCpu)} of one core; ${await memoryOf('porter')}`);
  await hangUp();
});

test('the watchdog lets a device go that is stopped in order; baresip calls in its place', async () => {
  await machine.run(
    'kill $(cat /run/porter.pid); while kill -0 $(cat /run/porter.pid) 2>/dev/null; do sleep 0.2; done',
  );
  const sinceMs = performance.now();
  await machine.run(
    `baresip -f /share/baresip -e '/dial ${deskUri()}' >/share/baresip.log 2>&1 & echo $! >/run/baresip.pid`,
  );
  await event('answered', sinceMs, ANSWER_MS);
  call!.record(bench.folder, 'baresip');
  await heardIn(deskEar('baresip'));
  const used = await cpuOf('baresip');
  say(`processor time of the same call by baresip: ${percent(used)} of one core; ${await memoryOf('baresip')}`);
  say(`a call is ${(porterCpu / used).toFixed(1)} times the work that baresip has with it`);
  await hangUp();
  await machine.run('kill $(cat /run/baresip.pid)');
});

test('a USB sound card is pulled in mid-call and plugged in again: the call goes on, and is heard again', async () => {
  await machine.plugUsbSound();
  await machine.run('while ! [ -e /proc/asound/Audio ]; do sleep 0.1; done; sh /share/porter usb');
  const startedMs = performance.now();
  await event('registered', startedMs, START_MS);
  await press();
  await heardIn(usbEar);
  const told = lines('audio down');
  await machine.pullUsbSound();
  await until('the device says so', () => lines('audio down') > told, { withinMs: ANSWER_MS, detail });
  expect(call!.state).toBe('talking');
  // A loudspeaker that has gone takes no microphone with it.
  call!.record(bench.folder, 'pulled');
  await heardIn(deskEar('pulled'));
  // QEMU begins another recording for the card that is plugged in.
  rmSync(join(bench.folder, usbEar.file));
  await machine.plugUsbSound();
  await heardIn(usbEar);
  expect(call!.state).toBe('talking');
  await hangUp();
});

test('the watchdog resets a board whose firmware stands still, and no other', async () => {
  expect(watchdogBit()).toBe(false);
  const stoppedMs = performance.now();
  await machine.run('kill -STOP $(cat /run/porter.pid)');
  await until('the watchdog bites', watchdogBit, { withinMs: ANSWER_MS, detail });
  say(`firmware stopped to reset ${seconds(performance.now() - stoppedMs)}`);
  await machine.ended;
});

// ---- hands, ears and eyes -----------------------------------------------------------------------------------------

const detail = () =>
  `${machine.story()}\n--- porter\n${machine.console('porter.log')?.slice(-6_000)}\n--- desk\n${JSON.stringify(
    told.map(({ is, atMs }) => [is, atMs]),
  )}`;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const watchdogBit = () => machine.events.some(({ event }) => event === 'WATCHDOG');
/** How often the device has said so in its log. */
const lines = (message: string) => machine.console('porter.log')!.split(`"msg":"${message}"`).length - 1;
const deskUri = () => `sip:desk@${HOST_SEEN_FROM_GUEST}:${desk.settings.port}`;

const event = (is: DeskEvent['is'], sinceMs: number, withinMs: number) =>
  until(`the desk: ${is}`, () => told.find(each => each.is === is && each.atMs >= sinceMs), { withinMs, detail });

/** Presses until the desk is called and has answered. Answers the milliseconds up to the INVITE. */
async function press(): Promise<number> {
  const pressedMs = performance.now();
  machine.setLine(BUTTON, true);
  const incoming = await event('incoming', pressedMs, ANSWER_MS);
  machine.setLine(BUTTON, false);
  await event('answered', pressedMs, ANSWER_MS);
  return incoming.atMs - pressedMs;
}

async function hangUp() {
  const sinceMs = performance.now();
  call!.hangUp();
  await event('ended', sinceMs, ANSWER_MS);
  // The device needs a moment to be free for the next call.
  await passes(1_000);
}

const moved = (line: number, level: boolean, sinceMs: number) =>
  until(
    `line ${line} ${level ? 'high' : 'low'}`,
    () => moves.find(each => each.line === line && each.level === level && each.atMs > sinceMs),
    { detail },
  );

/** A visitor at the gate: speaks a tone, and writes down what the loudspeaker plays. */
const speakAndListen = () =>
  machine.run(`aplay -q -D hw:Loopback,0,1 /tmp/mouth.wav >/share/aplay.log 2>&1 &
arecord -q -D hw:Loopback,1,0 -t raw -f S16_LE -c 1 -r ${RATE} /share/ear >/share/arecord.log 2>&1 &`);

/** A recording that may not have begun: whether a tone was heard in it for long enough. */
interface Recording {
  file: string;
  hz: number;
  rate: number;
  channels: number;
  headerBytes: number;
}

const ear: Recording = { file: 'machine/share/ear', hz: DESK_HZ, rate: RATE, channels: 1, headerBytes: 0 };
const usbEar: Recording = { file: 'machine/usb.wav', hz: DESK_HZ, rate: USB_RATE, channels: 2, headerBytes: 44 };
const deskEar = (name: string): Recording => ({
  file: `${name}-heard.wav`,
  hz: MOUTH_HZ,
  rate: RATE,
  channels: 1,
  headerBytes: 44,
});

/** Resolves when a tone has been heard in each. They are looked at now and then: that costs what the guest needs, too. */
const heardIn = (...recordings: Recording[]) =>
  until(
    `${recordings.map(({ file }) => file).join(' and ')}: ${HEARD_S} s of the tone`,
    async () => {
      await passes(LOOK_MS);
      return recordings.every(recording => secondsIn(recording) >= HEARD_S);
    },
    { withinMs: HEARD_WITHIN_MS, detail: () => `${recordings.map(secondsIn).join(' s, ')} s were heard\n${detail()}` },
  );

function secondsIn({ file, hz, rate, channels, headerBytes }: Recording): number {
  const path = join(bench.folder, file);
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path).subarray(headerBytes);
  const all = new Int16Array(Uint8Array.from(bytes.subarray(0, bytes.length & ~1)).buffer);
  const left = channels === 1 ? all : all.filter((_, at) => at % channels === 0);
  return hearsIn(left, rate, hz).seconds;
}

/** Share of one core that a program of the guest uses. */
async function cpuOf(name: string): Promise<number> {
  const ticks = `cut -d ' ' -f 14,15 /proc/$(cat /run/${name}.pid)/stat; cut -d ' ' -f 1 /proc/uptime`;
  const read = async () => (await machine.run(ticks)).trim().split(/\s+/).map(Number) as [number, number, number];
  await passes(SETTLED_MS);
  const [user, system, atS] = await read();
  await passes(COUNTED_MS);
  const [laterUser, laterSystem, laterS] = await read();
  return (laterUser + laterSystem - user - system) / 100 / (laterS - atS);
}

async function memoryOf(name: string): Promise<string> {
  const status = await machine.run(`cat /proc/$(cat /run/${name}.pid)/status`);
  const mib = (field: string) => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return `memory (RSS) ${mib('VmRSS')} MiB, at most ${mib('VmHWM')} MiB`;
}
