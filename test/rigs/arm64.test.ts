/** The whole device on arm64: Debian's kernel, the bundle that a board gets, lines and sound cards of the kernel. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { wavHeader } from '../../hal/audio/wav.ts';
import { makeBundle } from '../../scripts/pack/bundle.ts';
import { CHIP, HOST_SEEN_FROM_GUEST, Machine } from '../../scripts/rigs/arm64/machine.ts';
import { arm64System, imageOf } from '../../scripts/rigs/arm64/system.ts';
import type { Desk, DeskCall, DeskEvent } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import { Bench } from '../peers/support/bench.ts';
import { hears, writeTone } from '../peers/support/hearing.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { passes, until } from '../peers/support/until.ts';

const BUTTON = 0;
const RELAY = 5;
const LED = 6;
const PASSWORD = 'at the gate';
const MOUTH_HZ = 750;
const DESK_HZ = 1_100;
const RATE = 16_000;
/** Sound that is heard whole at both ends in one call, and how long the call may take to get there. */
const HEARD_S = 2;
const CALL_MS = 90_000;

const bench = new Bench();
const say = (line: string) => process.stderr.write(`${line}\n`);
const told: (DeskEvent & { atMs: number })[] = [];
const moves: { line: number; level: boolean; atMs: number }[] = [];
let machine: Machine;
let desk: Desk;
let call: DeskCall | undefined;

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

  const folder = bench.room('machine');
  machine = new Machine(system, {
    folder,
    bundle: image,
    modules: ['snd_aloop', 'snd_usb_audio', 'xhci_pci', 'i6300esb'],
    start: START,
  });
  bench.onStop(() => machine.stop());
  writeFileSync(join(machine.share, 'porter.json'), JSON.stringify(configuration(port), null, 2));
  writeTone(join(machine.share, 'mouth.wav'), { hz: MOUTH_HZ, levelDb: -12, rate: RATE, seconds: 60 });
  await machine.open();
  machine.onRelay = (line, level) => moves.push({ line, level, atMs: performance.now() });
});
afterAll(() => bench.stop());

const START = `cp /share/mouth.wav /tmp
cp /share/porter.json /tmp
/opt/porter/bin/porter run --config /tmp/porter.json --state /tmp/state >/share/porter.log 2>&1 &
echo $! >/run/porter.pid
`;

const configuration = (port: number) => ({
  device: { id: 'arm64', name: 'Front gate' },
  board: {
    name: 'generic',
    watchdog: true,
    inputs: { 'button-1': { chip: CHIP, line: BUTTON } },
    outputs: { 'relay-1': { chip: CHIP, line: RELAY }, 'led-1': { chip: CHIP, line: LED } },
  },
  audio: {
    capture: 'hw:Loopback,1,1',
    playback: 'hw:Loopback,0,0',
    rate: RATE,
    // A board that another processor plays is late now and then.
    period: '20 ms',
    buffer: '200 ms',
    echo: 'off',
    noiseSuppression: false,
  },
  media: { codecs: ['PCMA'] },
  sip: { accounts: { pbx: { uri: `sip:front@${HOST_SEEN_FROM_GUEST}:${port}`, password: PASSWORD } } },
  contacts: { desk: { uri: `sip:desk@${HOST_SEEN_FROM_GUEST}:${port}` } },
  buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
  doors: { main: { relay: 'relay-1', openFor: '1 s', codes: ['55'] } },
  log: { level: 'debug' },
});

const detail = () => `${machine.story()}\n--- porter\n${machine.console('porter.log')?.slice(-6_000)}`;
const event = (is: DeskEvent['is'], sinceMs: number, withinMs: number) =>
  until(`the desk: ${is}`, () => told.find(each => each.is === is && each.atMs >= sinceMs), { withinMs, detail });

test('it starts and registers', async () => {
  const registered = await event('registered', 0, 120_000);
  say(`arm64: power to registered ${((registered.atMs - machine.switchedOnMs) / 1000).toFixed(1)} s`);
  await machine.up();
});

test('a press on a line of the kernel is a call that is heard at both ends; the code moves the relay', async () => {
  await machine.run('aplay -q -D hw:Loopback,0,1 /tmp/mouth.wav >/share/aplay.log 2>&1 &');
  await machine.run(
    `arecord -q -D hw:Loopback,1,0 -t raw -f S16_LE -c 1 -r ${RATE} /share/ear >/share/arecord.log 2>&1 &`,
  );
  const pressedMs = performance.now();
  machine.setLine(BUTTON, true);
  const incoming = await event('incoming', pressedMs, 30_000);
  machine.setLine(BUTTON, false);
  say(`arm64: press to INVITE ${Math.round(incoming.atMs - pressedMs)} ms`);
  await event('answered', pressedMs, 30_000);
  call!.record(bench.folder, 'call');
  const heard = () => ({
    desk: hears(join(bench.folder, 'call-heard.wav'), MOUTH_HZ).seconds,
    ear: secondsOf(join(machine.share, 'ear'), DESK_HZ),
  });
  await passes(2_000);
  await until('both hear each other', () => heard().desk >= HEARD_S && heard().ear >= HEARD_S, {
    withinMs: CALL_MS,
    detail: () => `${JSON.stringify(heard())}\n${detail()}`,
  });
  say(
    `arm64: both heard ${HEARD_S} s of each other ${((performance.now() - incoming.atMs) / 1000).toFixed(1)} s after the INVITE`,
  );
  const keyedMs = performance.now();
  call!.sendKeys('55#');
  await moved(RELAY, true, keyedMs);
  await moved(RELAY, false, keyedMs);
  call!.hangUp();
  await event('ended', keyedMs, 10_000);
  await machine.run('killall arecord aplay');
});

const moved = (line: number, level: boolean, sinceMs: number) =>
  until(
    `line ${line} ${level ? 'high' : 'low'}`,
    () => moves.find(each => each.line === line && each.level === level && each.atMs > sinceMs),
    {
      detail,
    },
  );

/** Of a recording of bare samples, which may still be growing. */
function secondsOf(file: string, hz: number): number {
  const bytes = readFileSync(file);
  const wav = `${file}.wav`;
  writeFileSync(wav, Buffer.concat([wavHeader(RATE, bytes.length & ~1), bytes]));
  return hears(wav, hz).seconds;
}
